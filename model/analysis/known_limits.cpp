// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/known_limits.h"

#include "model/aggregate/heap_modes.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

constexpr Duration kStillThere
    = Duration::fromMs(15'000); ///< a process that was read so long before the end counts as alive

/// Where one stands: the end of the selected time, else of the recording.
Timestamp endOf(const Snapshot &snapshot)
{
    if (snapshot.selection.time || snapshot.tickEnds.empty())
        return snapshot.selection.time ? snapshot.span.end : Timestamp{};
    return snapshot.tickEnds.back();
}

/// The last value by that moment.
std::optional<double> lastOf(const Snapshot &snapshot, Metric metric)
{
    const Timestamp end = endOf(snapshot);
    const TimeSeries series = timeSeries(snapshot, metric);
    for (auto segment = series.segments.rbegin(); segment != series.segments.rend(); ++segment)
        for (auto point = segment->rbegin(); point != segment->rend(); ++point)
            if (point->when <= end)
                return point->value;
    return std::nullopt;
}

bool isMemoryOfProcess(const SeriesSource &source)
{
    if (const auto *quantity = std::get_if<HeapQuantity>(&source))
        return *quantity == HeapQuantity::LiveBytes;
    const auto *metric = std::get_if<Metric>(&source);
    return metric != nullptr
        && (*metric == Metric::Rss || *metric == Metric::Pss || *metric == Metric::Anonymous
            || *metric == Metric::CgroupMemory);
}

/// What limits another metric.
struct Bound
{
    Metric metric;
    Metric limit;
    std::string_view name;
};
constexpr std::array<Bound, 4> kBounds{{
    {Metric::VirtualSize, Metric::AddressLimit, "limit of the address space"},
    {Metric::OpenFiles, Metric::OpenFileLimit, "limit of open files"},
    {Metric::Threads, Metric::ThreadLimit, "limit of threads"},
    {Metric::DiskUsed, Metric::DiskSize, "size of the file system"},
}};

const Bound *boundOf(const SeriesSource &source)
{
    const auto *metric = std::get_if<Metric>(&source);
    const auto found = std::find_if(
        kBounds.begin(), kBounds.end(), [metric](const Bound &bound) { return metric && bound.metric == *metric; });
    return found == kBounds.end() ? nullptr : &*found;
}

/// The last values of a process that tell both; null if it was gone by the end. The last row of a process that ended tells neither.
const MetricValues *lastValues(const Snapshot &snapshot, const MetricSeries &series, const Bound &bound)
{
    const Timestamp end = endOf(snapshot);
    for (std::size_t i = series.times.size(); i-- > 0 && series.times[i] + kStillThere >= end;)
        if (series.times[i] <= end && series.values[i].get(bound.metric) && series.values[i].get(bound.limit))
            return &series.values[i];
    return nullptr;
}

std::optional<KnownLimit> nearestProcess(const Snapshot &snapshot, const Bound &bound)
{
    std::optional<KnownLimit> nearest;
    double greatest = -1;
    for (const MetricSeries &series : snapshot.metrics) {
        const MetricValues *values = lastValues(snapshot, series, bound);
        const auto used = values ? values->get(bound.metric) : std::nullopt;
        const auto limit = values ? values->get(bound.limit) : std::nullopt;
        if (!used || !limit || *limit <= 0)
            continue;
        const double share = static_cast<double>(*used) / static_cast<double>(*limit);
        if (share > greatest) {
            greatest = share;
            nearest = KnownLimit{{static_cast<double>(*limit), std::string(bound.name)}, series.process};
        }
    }
    return nearest;
}

} // namespace

std::optional<Metric> limitingMetric(const SeriesSource &source)
{
    const Bound *bound = boundOf(source);
    return bound ? std::optional(bound->limit) : std::nullopt;
}

bool canHaveLimit(const SeriesSource &source) { return isMemoryOfProcess(source) || boundOf(source) != nullptr; }

bool isLimit(const SeriesSource &source)
{
    const auto *metric = std::get_if<Metric>(&source);
    return metric
        && (*metric == Metric::MemoryLimit || std::any_of(kBounds.begin(), kBounds.end(), [metric](const Bound &bound) {
               return bound.limit == *metric;
           }));
}

std::optional<double> residentPerRequested(const Snapshot &snapshot)
{
    constexpr double kLeastGrowth = 1024.0 * 1024;
    const TimeSeries live = judgedSeries(snapshot, HeapQuantity::LiveBytes, snapshot.span);
    const TimeSeries resident = judgedSeries(snapshot, Metric::Rss, snapshot.span);
    const std::optional<SeriesPoint> last = live.last();
    if (!last || resident.isEmpty() || live.isEmpty())
        return std::nullopt;
    const Timestamp begin = live.segments.front().front().when;
    const std::optional<SeriesPoint> middle = live.nearest(Timestamp{begin.ns + (last->when.ns - begin.ns) / 2});
    const auto before = middle ? resident.nearest(middle->when) : std::nullopt, after = resident.nearest(last->when);
    if (!before || !after || last->value - middle->value < kLeastGrowth)
        return std::nullopt;
    const double ratio = (after->value - before->value) / (last->value - middle->value);
    // What fits into what is resident may lie in pages that were touched before.
    if (ratio < kMostlyResident && last->value <= after->value)
        return std::nullopt;
    return ratio;
}

std::optional<ForecastLimit> memoryLimit(const Snapshot &snapshot, const SeriesSource &source)
{
    if (!isMemoryOfProcess(source))
        return std::nullopt;
    if (source == SeriesSource(HeapQuantity::LiveBytes)
        && residentPerRequested(snapshot).value_or(kMostlyResident) < kMostlyResident)
        return std::nullopt;
    std::optional<ForecastLimit> limit;
    if (const std::optional<double> group = lastOf(snapshot, Metric::MemoryLimit))
        limit = ForecastLimit{*group, "limit of the control group"};
    if (source == SeriesSource(Metric::CgroupMemory))
        return limit;
    const std::optional<double> available = lastOf(snapshot, Metric::SystemAvailable);
    const std::optional<double> own = lastOf(snapshot, Metric::Rss);
    if (available && own && (!limit || *available + *own < limit->value))
        limit = ForecastLimit{*available + *own, "memory that the system has left"};
    return limit;
}

std::optional<KnownLimit> knownLimit(const Snapshot &snapshot, const SeriesSource &source)
{
    if (auto limit = memoryLimit(snapshot, source))
        return KnownLimit{std::move(*limit), std::nullopt};
    const Bound *bound = boundOf(source);
    if (!bound)
        return std::nullopt;
    if (!isSharedByProcesses(bound->limit))
        return nearestProcess(snapshot, *bound);
    const std::optional<double> limit = lastOf(snapshot, bound->limit);
    if (!limit)
        return std::nullopt;
    std::string name(bound->name);
    if (bound->metric == Metric::DiskUsed && !snapshot.info.disk.empty())
        name += " on " + snapshot.info.disk;
    return KnownLimit{{*limit, std::move(name)}, std::nullopt};
}

} // namespace model
