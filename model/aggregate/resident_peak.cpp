// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/resident_peak.h"

#include "model/aggregate/fork_parents.h"
#include "model/aggregate/time_series.h"

#include <algorithm>
#include <map>

namespace model {

std::optional<double> residentPeak(const Snapshot &snapshot)
{
    const TimeSeries together = timeSeries(snapshot, Metric::Rss);
    const std::optional<TimeSeries::Extent> extent = together.extent(snapshot.span);
    std::optional<double> most = extent ? std::optional(extent->greatest) : std::nullopt;
    const std::vector<ProcessId> forkedFrom = forkParents(*snapshot.tables);
    for (const MetricSeries &series : snapshot.metrics) {
        // Of a fork that is gone the peak is its parent's.
        const bool isFork = series.process.index() < forkedFrom.size() && forkedFrom[series.process.index()].isValid();
        const std::optional<Timestamp> end
            = isFork ? snapshot.tables->processes[series.process.index()].end : std::nullopt;
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            const Timestamp when = series.times[i];
            const std::optional<std::int64_t> peak = series.values[i].get(Metric::RssPeak);
            const std::int64_t own = series.values[i].get(Metric::Rss).value_or(0);
            if (!peak || *peak <= own || when <= snapshot.span.begin || snapshot.span.end < when
                || (end && *end < when))
                continue;
            const std::optional<SeriesPoint> sum = together.nearest(when);
            const double others = sum && sum->when == when ? std::max(sum->value - static_cast<double>(own), 0.0) : 0;
            most = std::max(most.value_or(0), others + static_cast<double>(*peak));
        }
    }
    return most;
}

std::vector<CountedOnce> countedOnce(const Snapshot &snapshot)
{
    struct Sum
    {
        CountedOnce counted;
        double notRead = 0;
    };
    std::map<Timestamp, Sum> sums;
    for (const MetricSeries &series : snapshot.metrics) {
        if (snapshot.selection.process && series.process != *snapshot.selection.process)
            continue;
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            const Timestamp when = series.times[i];
            const std::optional<std::int64_t> resident = series.values[i].get(Metric::Rss),
                                              once = series.values[i].get(Metric::Pss);
            if (!resident || when <= snapshot.span.begin || snapshot.span.end < when)
                continue;
            Sum &sum = sums[when];
            sum.counted.when = when;
            if (!once) {
                sum.notRead += static_cast<double>(*resident);
                continue;
            }
            sum.counted.resident += static_cast<double>(*resident);
            sum.counted.once += static_cast<double>(*once);
        }
    }
    constexpr double kFew = 0.05;
    std::vector<CountedOnce> moments;
    for (const auto &[when, sum] : sums)
        if (sum.counted.resident > 0 && sum.notRead <= kFew * (sum.counted.resident + sum.notRead))
            moments.push_back(sum.counted);
    return moments;
}

std::optional<double> shareCountedOnce(const Snapshot &snapshot)
{
    if (snapshot.metrics.size() < 2)
        return std::nullopt;
    // Of a few processes that were left at the end the share says nothing of all.
    constexpr double kMuch = 0.5;
    const std::optional<double> peak = residentPeak(snapshot);
    const std::vector<CountedOnce> moments = countedOnce(snapshot);
    const auto most = std::max_element(moments.begin(), moments.end(),
        [](const CountedOnce &a, const CountedOnce &b) { return a.resident < b.resident; });
    if (most == moments.end() || most->resident < kMuch * peak.value_or(0))
        return std::nullopt;
    return most->once / most->resident;
}

} // namespace model
