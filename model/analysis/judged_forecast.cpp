// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/judged_forecast.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/memory_parts.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/series_blocks.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

/// Where a quarter of what resident memory rose by, or more, is what the tracer took of it: says so. Moments at which pages were read are compared.
std::string tracersPart(const Snapshot &snapshot, const TimeSeries &resident, TimeRange range)
{
    if (snapshot.memoryParts.empty())
        return {};
    constexpr double kLeastShare = 0.25;
    constexpr double kLeastBytes = 256 << 10;
    const auto [before, after] = memoryBetween(snapshot,
        {std::max(resident.segments.front().front().when, range.begin), std::min(resident.last()->when, range.end)});
    double tracer = 0, all = 0;
    const auto add = [&](const MemoryNow &moment, double sign) {
        for (const MemoryNow::Part &part : moment.parts) {
            all += sign * part.bytes;
            tracer += part.key == kTracerPart ? sign * part.bytes : 0;
        }
    };
    add(after, 1);
    add(before, -1);
    if (tracer < kLeastBytes || all <= 0 || tracer < kLeastShare * all)
        return {};
    return fmt::format(" Recording is part of it: the tracer's own memory grew by {} from {} to {}, all of it by {}.",
        formatBytes(tracer), formatOffset(before.when), formatOffset(after.when), formatBytes(all));
}

/// What is read comes with ticks, so a step is a whole number of them: a few early and late ones, as a short recording has, are no other step.
Duration inWholeTicks(Duration step, Duration tick)
{
    constexpr double kJitter = 0.1; // of the step
    if (tick.ns <= 0)
        return step;
    const double ticks = static_cast<double>(step.ns) / static_cast<double>(tick.ns);
    const double whole = std::max(std::round(ticks), 1.0);
    return std::abs(ticks - whole) <= kJitter * ticks ? Duration{static_cast<std::int64_t>(whole) * tick.ns} : step;
}

} // namespace

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
    const TimeSeries judged = judgedSeries(snapshot, source, range, process);
    std::optional<Forecast> result = forecast(judged, options, stop);
    const bool isOfAllSelected = !process || snapshot.metrics.size() == 1;
    if (result && result->isGrowing && source == SeriesSource(Metric::Rss) && isOfAllSelected)
        result->verdict += tracersPart(snapshot, judged, range);
    if (!result || result->state != ForecastState::NotEnoughData)
        return result;
    const TimeSeries all = timeSeries(snapshot, source, process);
    if (all.isEmpty())
        return result;
    const Duration tick = snapshot.info.config.tick, step = inWholeTicks(usualStep(all).value_or(tick), tick);
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
