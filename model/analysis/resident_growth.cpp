// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/resident_growth.h"

#include "model/aggregate/function_index.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/resident_peak.h"

#include <algorithm>
#include <map>

namespace model {

namespace {

constexpr double kLeastBytes = 4 << 20;
constexpr double kLeastShare = 0.05; ///< of what it grew to
constexpr std::size_t kLeastPoints = 5;
constexpr double kLeastTau = 0.5;
constexpr Duration kShort = Duration::fromMs(600'000); ///< a command that ended after less may just have done its work

/// What lies in a time, with the level at its begin.
TimeSeries within(TimeSeries series, TimeRange range)
{
    for (std::vector<SeriesPoint> &segment : series.segments)
        std::erase_if(
            segment, [range](const SeriesPoint &point) { return point.when < range.begin || range.end < point.when; });
    std::erase_if(series.segments, [](const std::vector<SeriesPoint> &segment) { return segment.empty(); });
    return series;
}

/// What the forecast says; where it has too few blocks to say anything, whether the points themselves rise for sure.
std::optional<double> growthPerHour(const Forecast &resident, const TimeSeries &judged)
{
    if (resident.isGrowing)
        return resident.trend.slope;
    if (resident.state != ForecastState::NotEnoughData)
        return std::nullopt;
    std::vector<double> hours, values;
    for (const std::vector<SeriesPoint> &segment : judged.segments)
        for (const SeriesPoint &point : segment) {
            hours.push_back(point.when.seconds() / 3600);
            values.push_back(point.value);
        }
    constexpr std::size_t kMostPoints
        = 600; // as many blocks as a forecast has at most; more points are not too few for it
    if (values.size() < kLeastPoints || values.size() > kMostPoints)
        return std::nullopt;
    const RobustTrend trend = robustTrend(hours, values);
    return trend.slope90.low > 0 && trend.tau >= kLeastTau ? std::optional(trend.slope) : std::nullopt;
}

/// Who holds most of the mappings that were made in the selected time; what is only reserved or of a file does not tell.
void findMapper(const Snapshot &snapshot, ResidentGrowth &growth)
{
    FunctionIndex functions(snapshot.tables);
    std::map<std::string, double> places;
    for (const MemoryArea &area : snapshot.areas) {
        const std::string &name = snapshot.tables->text(area.name);
        if (area.kind != AreaKind::Mapping || name == "reserved" || name == "file")
            continue;
        for (const HeapCost &cost : area.costs)
            if (const std::int64_t kept = cost.liveBytes - cost.liveBytesAtBegin; kept > 0)
                places[callerLine(functions, cost.stack).name] += static_cast<double>(kept);
    }
    for (const auto &[name, bytes] : places)
        if (!name.empty() && bytes > growth.mappedBytes) {
            growth.mappedBy = shortFunctionName(name);
            growth.mappedBytes = bytes;
        }
}

void countOnce(const Snapshot &snapshot, TimeRange range, ResidentGrowth &growth)
{
    std::size_t sharing = 0;
    for (const MetricSeries &series : snapshot.metrics)
        sharing += !snapshot.selection.process || series.process == *snapshot.selection.process ? 1 : 0;
    growth.isSharedByMany = sharing > 1;
    if (!growth.isSharedByMany)
        return;
    std::vector<CountedOnce> moments = countedOnce(snapshot);
    std::erase_if(
        moments, [range](const CountedOnce &moment) { return moment.when < range.begin || range.end < moment.when; });
    if (moments.size() > 1)
        growth.onceBytes = moments.back().once - moments.front().once;
}

} // namespace

std::optional<ResidentGrowth> residentGrowth(const Snapshot &snapshot, const Forecast &resident)
{
    const TimeSeries judged = within(judgedSeries(snapshot, Metric::Rss, snapshot.span), snapshot.span);
    if (judged.isEmpty())
        return std::nullopt;
    const std::optional<double> perHour = growthPerHour(resident, judged);
    if (!perHour)
        return std::nullopt;
    const TimeRange range{judged.segments.front().front().when, judged.last()->when};
    const auto [before, after] = memoryBetween(snapshot, range);
    const auto isUnknown
        = [](const MemoryNow::Part &part) { return part.key == kUnknownPart && part.bytes > kLeastBytes; };
    if (std::any_of(before.parts.begin(), before.parts.end(), isUnknown))
        return std::nullopt; // what was not told apart then may have been anything
    ResidentGrowth growth{.bytes = std::max(kLeastBytes, kLeastShare * judged.last()->value), .perHour = *perHour};
    for (const MemoryNow::Part &part : after.parts) {
        const auto same = std::find_if(before.parts.begin(), before.parts.end(),
            [&part](const MemoryNow::Part &each) { return each.key == part.key; });
        const double change = part.bytes - (same != before.parts.end() ? same->bytes : 0);
        if (change < growth.bytes)
            continue;
        growth.bytes = change;
        growth.key = part.key;
        growth.label = part.label;
    }
    if (growth.key.empty() || growth.key == kLiveHeapPart || growth.key == kTracerPart)
        return std::nullopt;
    growth.isFinished = snapshot.info.endReason.starts_with(kCommandEnded) && snapshot.info.exitStatus.value_or(0) == 0
        && snapshot.info.duration < kShort && !snapshot.selection.time;
    if (growth.key == kMappingsPart)
        findMapper(snapshot, growth);
    if (growth.key == kSharedPart)
        countOnce(snapshot, range, growth);
    return growth;
}

bool isCountedAgain(const ResidentGrowth &growth)
{
    return growth.isSharedByMany && growth.onceBytes && *growth.onceBytes < growth.bytes / 2;
}

} // namespace model
