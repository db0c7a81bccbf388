// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/series_values.h"

#include "model/aggregate/living_series.h"
#include "model/metric_meaning.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace model {

namespace {

using Line = std::vector<SeriesPoint>; ///< of one process or image

enum class Merge : std::uint8_t { Sum, First };

/// Lines of processes or images that are to be one: `spans[i]` is when lines[i] counts, with its last value at moments between its points.
struct Lines
{
    std::vector<Line> lines;
    std::vector<LivingSeries::Span> spans;
};

Line merged(const Snapshot &snapshot, const Lines &all, Merge merge)
{
    const std::vector<Line> &lines = all.lines;
    if (lines.size() <= 1)
        return lines.empty() ? Line() : lines.front();
    std::vector<Timestamp> moments;
    for (const Line &line : lines)
        for (const SeriesPoint &point : line)
            moments.push_back(point.when);
    std::sort(moments.begin(), moments.end());
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
    std::vector<std::size_t> next(lines.size(), 0);
    LivingSeries living(snapshot, all.spans);
    Line result;
    std::vector<LivingSeries::Said> said;
    for (const Timestamp when : moments) {
        said.clear();
        for (const std::size_t i : living.at(when)) {
            while (next[i] < lines[i].size() && lines[i][next[i]].when <= when)
                ++next[i];
            if (next[i] == 0 || !living.counts(i, lines[i][next[i] - 1].when)
                || (merge == Merge::First && !said.empty()))
                continue;
            said.push_back({i, lines[i][next[i] - 1].value});
        }
        living.keepTogether(said);
        if (!said.empty())
            result.push_back(
                {when, std::accumulate(said.begin(), said.end(), 0.0, [](double sum, const LivingSeries::Said &one) {
                     return sum + one.value;
                 })});
    }
    return result;
}

Line metricLine(const MetricSeries &series, Metric metric)
{
    Line line;
    for (std::size_t i = 0; i < series.times.size(); ++i)
        if (const std::optional<std::int64_t> value = series.values[i].get(metric))
            line.push_back({series.times[i], metricValue(*value, metricInfo(metric).unit)});
    return line;
}

Line usedCpuLine(const MetricSeries &series)
{
    Line line;
    for (std::size_t i = 0; i < series.times.size(); ++i) {
        const std::optional<std::int64_t> user = series.values[i].get(Metric::CpuUser);
        const std::optional<std::int64_t> system = series.values[i].get(Metric::CpuSystem);
        if (user || system)
            line.push_back({series.times[i],
                metricValue(user.value_or(0) + system.value_or(0), metricInfo(Metric::CpuUser).unit)});
    }
    return line;
}

/// Levels are those of processes that live; pages are levels that a fork shares with its parent; of rates each row is a part of the sum.
enum class Meaning : std::uint8_t { Level, Pages, Rate };

Meaning meaningOf(Metric metric)
{
    if (isRate(metric))
        return Meaning::Rate;
    return metricInfo(metric).unit == MetricUnit::Bytes && !isSharedByProcesses(metric) ? Meaning::Pages
                                                                                        : Meaning::Level;
}

template <typename MakeLine>
Line mergedMetrics(
    const Snapshot &snapshot, std::optional<ProcessId> process, Merge merge, Meaning meaning, MakeLine makeLine)
{
    const std::vector<Process> &processes = snapshot.tables->processes;
    Lines all;
    std::vector<ProcessId> shown; // by line
    for (const MetricSeries &series : snapshot.metrics) {
        if ((process && series.process != *process) || series.times.empty())
            continue;
        all.lines.push_back(makeLine(series));
        LivingSeries::Span &span = all.spans.emplace_back();
        span.first = series.times.front();
        span.last = series.times.back();
        if (meaning != Meaning::Rate && series.process.index() < processes.size()) {
            const Process &known = processes[series.process.index()];
            span.began = known.start;
            span.ended = span.gone = known.end;
        }
        shown.push_back(series.process);
    }
    if (meaning == Meaning::Pages)
        setForks(all.spans, shown, *snapshot.tables);
    return merged(snapshot, all, merge);
}

double perSecond(std::int64_t count, TimeRange span)
{
    return span.isEmpty() ? 0 : static_cast<double>(count) / span.length().seconds();
}

double heapValue(const HeapTick &tick, TimeRange span, HeapQuantity quantity)
{
    switch (quantity) {
    case HeapQuantity::LiveBytes:
        return static_cast<double>(tick.liveBytes);
    case HeapQuantity::LiveBlocks:
        return static_cast<double>(tick.liveBlocks);
    case HeapQuantity::AllocationRate:
        return perSecond(tick.allocations, span);
    case HeapQuantity::AllocatedRate:
        return perSecond(tick.allocatedBytes, span);
    case HeapQuantity::FreeRate:
        return perSecond(tick.frees, span);
    case HeapQuantity::TemporaryRate:
        return perSecond(tick.temporaries, span);
    }
    return 0;
}

/// A heap's last tick says what was left at the end, which counts in that tick; so it does in a step that ends with it, and a line is the same
/// before and after its ticks are merged.
std::optional<Timestamp> lastCounted(const Snapshot &snapshot, const Image &image)
{
    if (!image.end)
        return std::nullopt;
    return Timestamp{image.end->ns + snapshot.info.config.tick.ns - 1};
}

/// When another program took an image's place in its process, and its blocks with it; empty where the process ended with it, or runs it.
std::optional<Timestamp> replacedAt(const Snapshot &snapshot, const Image &image)
{
    const Process &process = snapshot.tables->processes.at(image.process.index());
    return image.end && (!process.end || *process.end > *image.end) ? image.end : std::nullopt;
}

Line mergedHeap(const Snapshot &snapshot, std::optional<ProcessId> process, HeapQuantity quantity)
{
    const std::vector<Image> &images = snapshot.tables->images;
    const bool isLevel = quantity == HeapQuantity::LiveBytes || quantity == HeapQuantity::LiveBlocks;
    Lines all;
    for (const HeapSeries &series : snapshot.heapSeries) {
        const bool isKnown = series.image.index() < images.size();
        if (series.spans.empty() || (process && (!isKnown || images[series.image.index()].process != *process)))
            continue;
        const std::optional<Timestamp> replaced
            = isLevel && isKnown ? replacedAt(snapshot, images[series.image.index()]) : std::nullopt;
        Line line;
        for (std::size_t i = 0; i < series.spans.size(); ++i)
            if (i == 0 || !replaced || series.spans[i].begin < *replaced)
                line.push_back({series.spans[i].end, heapValue(series.ticks[i], series.spans[i], quantity)});
        LivingSeries::Span &span = all.spans.emplace_back();
        span.first = line.front().when;
        span.last = line.back().when;
        if (isLevel && isKnown) {
            const Image &known = images[series.image.index()];
            span.ended = lastCounted(snapshot, known);
            span.began = known.start;
            span.gone = known.end; // what each left behind counts where nothing else was there with it
        }
        all.lines.push_back(std::move(line));
    }
    return merged(snapshot, all, Merge::Sum);
}

/// Samples as percent of a core. A tick in which a process had none is not in its series: it counts as 0.
Line sampledCpu(const Snapshot &snapshot, std::optional<ProcessId> process)
{
    std::map<Timestamp, double> byEnd;
    for (const CpuSeries &series : snapshot.cpuSeries)
        for (std::size_t i = 0; i < series.spans.size(); ++i)
            if (!process || series.process == *process)
                byEnd[series.spans[i].end] += perSecond(series.timeNs[i], series.spans[i]) * 1e-9 * 100;
    Line line;
    if (byEnd.empty())
        return line;
    for (const Timestamp when : snapshot.tickEnds)
        byEnd.try_emplace(when, 0);
    for (const auto &[when, percent] : byEnd)
        line.push_back({when, percent});
    return line;
}

} // namespace

std::vector<SeriesPoint> seriesValues(
    const Snapshot &snapshot, const SeriesSource &source, std::optional<ProcessId> process)
{
    if (const auto *metric = std::get_if<Metric>(&source))
        return mergedMetrics(snapshot, process, isSharedByProcesses(*metric) ? Merge::First : Merge::Sum,
            meaningOf(*metric), [metric](const MetricSeries &series) { return metricLine(series, *metric); });
    if (const auto *quantity = std::get_if<HeapQuantity>(&source))
        return mergedHeap(snapshot, process, *quantity);
    if (std::get<CpuQuantity>(source) == CpuQuantity::Used)
        return mergedMetrics(snapshot, process, Merge::Sum, Meaning::Rate, usedCpuLine);
    return sampledCpu(snapshot, process);
}

} // namespace model
