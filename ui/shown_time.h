// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

namespace ui {

/// Where a selected time really lies: in whole ticks where `snapshot` was made for it.
inline model::TimeRange shownTime(const model::Snapshot &snapshot, model::TimeRange selected)
{
    return snapshot.selection.time == selected ? snapshot.span : selected;
}

} // namespace ui
