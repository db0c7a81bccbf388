// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>
#include <span>
#include <vector>

namespace model {

/// The heap of an image, and when the image was there: [begin, end), to the end of the recording without one.
struct HeapLife
{
    const HeapSeries *series = nullptr;
    Timestamp begin;
    std::optional<Timestamp> end;
};

/// What an image held within `window`, with levels that can be compared across changes of how it was recorded: where more was found live than
/// there had been until then, that is no rise, and left out until it holds more than ever by more than that. Empty where there is no such
/// change. `changes`: of any image, ascending in time for each.
std::optional<HeapSeries> withoutJumps(
    const HeapSeries &series, std::span<const HeapModeChange> changes, TimeRange window);

/// What an image held when all of them together held most.
struct PeakPart
{
    std::size_t life = 0; ///< position in the lives given
    std::size_t row = 0;  ///< the row of its series that says so
    bool isInRow
        = false; ///< the moment lies in the row's span: `bytes` are the most in it. Else the end of the row, since when nothing happened
    std::int64_t bytes = 0;
};

struct CommonPeak
{
    Timestamp when;
    std::vector<PeakPart> parts; ///< one of each image that lived then, in the order given; empty where none did
};

/// The first moment within `window` at which heaps that were there at the same time together held most, as far as rows tell: of a row the most
/// it saw counts throughout, so the sum of several that worked in the same tick is an upper bound. Time O(n log n) of all rows. Pure.
CommonPeak commonPeak(std::span<const HeapLife> lives, TimeRange window);

} // namespace model
