// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

namespace model {

/// The points of a source over the whole recording, ascending, without regard to gaps. For timeSeries() only.
std::vector<SeriesPoint> seriesValues(
    const Snapshot &snapshot, const SeriesSource &source, std::optional<ProcessId> process);

} // namespace model
