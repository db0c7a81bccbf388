// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/resident_peak.h"

#include "model/aggregate/time_series.h"

#include <algorithm>

namespace model {

std::optional<double> residentPeak(const Snapshot &snapshot)
{
    const TimeSeries together = timeSeries(snapshot, Metric::Rss);
    const std::optional<TimeSeries::Extent> extent = together.extent(snapshot.span);
    std::optional<double> most = extent ? std::optional(extent->greatest) : std::nullopt;
    for (const MetricSeries &series : snapshot.metrics)
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            const Timestamp when = series.times[i];
            const std::optional<std::int64_t> peak = series.values[i].get(Metric::RssPeak);
            const std::int64_t own = series.values[i].get(Metric::Rss).value_or(0);
            if (!peak || *peak <= own || when <= snapshot.span.begin || snapshot.span.end < when)
                continue;
            const std::optional<SeriesPoint> sum = together.nearest(when);
            const double others = sum && sum->when == when ? std::max(sum->value - static_cast<double>(own), 0.0) : 0;
            most = std::max(most.value_or(0), others + static_cast<double>(*peak));
        }
    return most;
}

std::optional<double> shareCountedOnce(const Snapshot &snapshot)
{
    if (snapshot.metrics.size() < 2)
        return std::nullopt;
    const TimeSeries resident = timeSeries(snapshot, Metric::Rss);
    double most = 0;
    std::optional<double> share;
    for (const std::vector<SeriesPoint> &segment : timeSeries(snapshot, Metric::Pss).segments)
        for (const SeriesPoint &once : segment) {
            const std::optional<SeriesPoint> all = resident.nearest(once.when);
            const bool isSelected = snapshot.span.begin < once.when && once.when <= snapshot.span.end;
            if (!isSelected || !all || all->when != once.when || all->value <= most)
                continue;
            most = all->value;
            share = once.value / most;
        }
    return share;
}

} // namespace model
