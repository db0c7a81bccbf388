// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/forecast.h"
#include "model/snapshot.h"

#include <optional>
#include <stop_token>

namespace model {

/// How long a recording with this tick has to be at least for `blocks` neighbouring blocks that an analysis of judgedSeries() needs, with
/// what is left out before the program's end. `step`: how often the quantity is read; some are more rarely than at each tick.
Duration leastRecording(std::size_t blocks, Duration tick, Duration step);

/// Forecasts what a session says of a quantity, of one process or of all, without what the program's end and changes of the heap mode distort
/// (judgedSeries()); within `options.history`, where it is given. Where the recording is too short, the reason says how long is needed.
/// Returns nothing when `stop` was requested.
std::optional<Forecast> judgedForecast(const Snapshot &snapshot, const SeriesSource &source,
    std::optional<ProcessId> process, const ForecastOptions &options, const std::stop_token &stop = {});

} // namespace model
