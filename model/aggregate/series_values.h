// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

namespace model {

/// The points of a source over the whole recording, ascending, one for each tick, without regard to gaps. For sums over ticks; lines to be drawn
/// and judged are timeSeries().
std::vector<SeriesPoint> seriesValues(
    const Snapshot &snapshot, const SeriesSource &source, std::optional<ProcessId> process);

} // namespace model
