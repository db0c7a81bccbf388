// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/judged_forecast.h"

#include "model/aggregate/heap_modes.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/series_blocks.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

Duration leastRecording(std::size_t blocks, Duration tick, Duration step)
{
    const Duration block = leastBlock(std::max(tick, step));
    const Duration judged{block.ns * static_cast<std::int64_t>(blocks)};
    return judged + leftOutBehind(judged, tick);
}

std::optional<Forecast> judgedForecast(const Snapshot &snapshot, const SeriesSource &source,
    std::optional<ProcessId> process, const ForecastOptions &options, const std::stop_token &stop)
{
    const Duration recorded = snapshot.info.duration;
    const TimeRange range = options.history.value_or(TimeRange{{}, {recorded.ns}});
    std::optional<Forecast> result = forecast(judgedSeries(snapshot, source, range, process), options, stop);
    if (!result || result->state != ForecastState::NotEnoughData)
        return result;
    const TimeSeries all = timeSeries(snapshot, source, process);
    if (all.isEmpty())
        return result;
    const Duration tick = snapshot.info.config.tick, step = usualStep(all).value_or(tick);
    const Duration needed = leastRecording(kLeastForecastDirection, tick, step);
    if (range.length() >= needed) // what is missing are values, not time
        return result;
    result->reason = fmt::format("{} {} too short, {} are needed to see a direction and {} for a forecast",
        formatDuration(range.length()), options.history ? "of it are selected, which is" : "of recording are",
        formatDuration(needed), formatDuration(leastRecording(kLeastForecastBlocks, tick, step)));
    result->verdict = forecastVerdict(*result);
    return result;
}

} // namespace model
