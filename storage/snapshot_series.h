// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/loaded_session.h"

namespace storage {

/// The ticks [first, last) that a selection covers, and the time they span.
struct TickWindow
{
    std::size_t first = 0;
    std::size_t last = 0;
    model::TimeRange span;

    bool isEmpty() const { return first == last; }
};

/// Snaps a selection to whole ticks: those that intersect it.
TickWindow windowOf(const TickIndex &ticks, const model::Selection &selection);

/// Whether the selection takes in this image, and this thread.
bool isSelected(const LoadedSession &session, const model::Selection &selection, std::uint32_t image);
/// Whether an image was gone before `begin`: what it left behind counts where it ended, not in parts of the recording that come later.
bool endedBefore(const LoadedSession &session, std::uint32_t image, model::Timestamp begin);
bool isSelectedThread(const LoadedSession &session, const model::Selection &selection, std::uint32_t thread);

/// Fills in everything that is made from the series alone: ticks, metrics, heap and CPU series, sizes, totals, losses, marks, gaps.
void fillSeries(const LoadedSession &session, const model::Selection &selection, const TickWindow &window,
    model::Snapshot &snapshot);

} // namespace storage
