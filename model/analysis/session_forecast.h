// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/known_limits.h"
#include "model/analysis/leak_detector.h"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

/// What will happen to one quantity of a recording.
struct ForecastedQuantity
{
    std::string key;                  ///< "rss_bytes"; "leak" for what one place keeps
    std::optional<ProcessId> process; ///< it is told of this process alone, which is nearest to its limit
    std::optional<StackId> stack;     ///< of a leak: the fastest of its stacks
    ImageId image;                    ///< of a leak
    std::string where;                ///< of a leak: "session.cpp:214"; may be empty
    Forecast forecast;
};

struct SessionForecastOptions
{
    std::optional<double> memoryLimit; ///< bytes; instead of what the recording says
    std::size_t mostLeaks = 5;
};

/// Forecasts everything of a recording that can run out: resident memory, that of the control group, virtual size, live heap, threads, open
/// files, the disk that is written to; and what each place alone will keep that `leaks` accuses. Quantities that were not recorded are left
/// out, and of those that have no limit only the trend is told. For memory that grows it is told how long limits of round sizes would
/// last. Within the selected time, where one is. Pure. Returns nothing when `stop` was requested.
std::optional<std::vector<ForecastedQuantity>> sessionForecasts(const Snapshot &snapshot, const LeakReport &leaks,
    const SessionForecastOptions &options = {}, const std::stop_token &stop = {});

} // namespace model
