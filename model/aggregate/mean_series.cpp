// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/mean_series.h"

#include <algorithm>
#include <utility>

namespace model {

namespace {

/// The points of a segment that lie in `range`; a segment is in order of time.
std::pair<std::size_t, std::size_t> within(const std::vector<SeriesPoint> &segment, TimeRange range)
{
    const auto begin = std::lower_bound(segment.begin(), segment.end(), range.begin,
        [](const SeriesPoint &point, Timestamp when) { return point.when < when; });
    const auto end = std::upper_bound(
        begin, segment.end(), range.end, [](Timestamp when, const SeriesPoint &point) { return when < point.when; });
    return {static_cast<std::size_t>(begin - segment.begin()), static_cast<std::size_t>(end - segment.begin())};
}

} // namespace

TimeSeries meanSeries(const TimeSeries &series, TimeRange range, std::size_t parts)
{
    TimeSeries means{series.source, {}};
    const auto length = static_cast<double>(range.length().ns);
    if (length <= 0 || parts == 0)
        return means;
    std::size_t nextPart = 0; // behind the last one that has a mean
    for (const auto &segment : series.segments) {
        const auto [begin, end] = within(segment, range);
        for (std::size_t i = begin; i < end;) {
            const auto partOf = [&](std::size_t at) {
                const double share = static_cast<double>((segment[at].when - range.begin).ns) / length;
                return std::min(static_cast<std::size_t>(share * static_cast<double>(parts)), parts - 1);
            };
            const std::size_t part = partOf(i);
            const Timestamp first = segment[i].when;
            double sum = 0;
            double offsets = 0; // to the first point's moment: whole moments would not fit a double
            std::size_t count = 0;
            for (; i < end && partOf(i) == part; ++i, ++count) {
                sum += segment[i].value;
                offsets += static_cast<double>((segment[i].when - first).ns);
            }
            const auto number = static_cast<double>(count);
            if (means.segments.empty() || part > nextPart)
                means.segments.emplace_back();
            means.segments.back().push_back(
                {first + Duration{static_cast<std::int64_t>(offsets / number)}, sum / number});
            nextPart = part + 1;
        }
    }
    return means;
}

bool isDense(const TimeSeries &series, TimeRange range, std::size_t columns)
{
    std::size_t count = 0;
    for (const auto &segment : series.segments) {
        const auto [begin, end] = within(segment, range);
        count += end - begin;
    }
    return count > 2 * columns;
}

} // namespace model
