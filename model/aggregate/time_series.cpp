// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/time_series.h"

#include "model/aggregate/series_values.h"
#include "model/metric_meaning.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

/// A step between points that is longer than this many usual ones is a gap.
constexpr std::int64_t kGapSteps = 4;

std::int64_t usualStepNs(const std::vector<SeriesPoint> &points)
{
    std::vector<std::int64_t> steps;
    for (std::size_t i = 1; i < points.size(); ++i)
        steps.push_back(points[i].when.ns - points[i - 1].when.ns);
    if (steps.empty())
        return 0;
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    return *middle;
}

bool isEarlier(const SeriesPoint &point, Timestamp when) { return point.when < when; }

/// Whether the line is broken before each point: at the first one, after a long silence and where a gap lies between.
std::vector<bool> breaks(const std::vector<SeriesPoint> &points, const std::vector<Gap> &gaps)
{
    std::vector<bool> broken(points.size());
    const std::int64_t stepNs = usualStepNs(points);
    for (std::size_t i = 0; i < points.size(); ++i)
        broken[i] = i == 0 || points[i].when.ns - points[i - 1].when.ns > kGapSteps * stepNs;
    for (const Gap &gap : gaps) {
        const auto first = std::lower_bound(points.begin(), points.end(), gap.span.begin, isEarlier);
        auto i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(first - points.begin(), 1));
        for (; i < points.size() && points[i - 1].when <= gap.span.end; ++i)
            if (gap.span.intersects({points[i - 1].when, points[i].when}))
                broken[i] = true;
    }
    return broken;
}

std::vector<std::vector<SeriesPoint>> split(const std::vector<SeriesPoint> &points, const std::vector<Gap> &gaps)
{
    std::vector<std::vector<SeriesPoint>> segments;
    const std::vector<bool> broken = breaks(points, gaps);
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (broken[i])
            segments.emplace_back();
        segments.back().push_back(points[i]);
    }
    return segments;
}

/// Adds the least and the greatest point of [first, last), in their order.
template <typename Iterator> void addExtremes(Iterator first, Iterator last, std::vector<SeriesPoint> &out)
{
    if (first == last)
        return;
    const auto byValue = [](const SeriesPoint &a, const SeriesPoint &b) { return a.value < b.value; };
    auto [least, greatest] = std::minmax_element(first, last, byValue);
    if (greatest < least)
        std::swap(least, greatest);
    out.push_back(*least);
    if (least != greatest)
        out.push_back(*greatest);
}

std::vector<SeriesPoint> downsampledSegment(
    const std::vector<SeriesPoint> &points, TimeRange range, std::size_t columns)
{
    auto first = std::lower_bound(points.begin(), points.end(), range.begin, isEarlier);
    const auto last = std::lower_bound(first, points.end(), range.end, isEarlier);
    std::vector<SeriesPoint> out;
    // The last tick of a recording ends with it, and may be the only one.
    const bool endsWithIt = last != points.end() && last->when == range.end;
    const bool touches = first != last || endsWithIt || (first != points.begin() && last != points.end());
    if (!touches)
        return out;
    if (first != points.begin())
        out.push_back(*(first - 1));
    const double columnNs = static_cast<double>(range.length().ns) / static_cast<double>(columns);
    for (std::size_t column = 1; column <= columns && first != last; ++column) {
        const auto offsetNs = static_cast<std::int64_t>(columnNs * static_cast<double>(column));
        const auto end
            = column == columns ? last : std::lower_bound(first, last, Timestamp{range.begin.ns + offsetNs}, isEarlier);
        addExtremes(first, end, out);
        first = end;
    }
    if (last != points.end())
        out.push_back(*last);
    return out;
}

bool isRate(const SeriesSource &source)
{
    if (const auto *metric = std::get_if<Metric>(&source))
        return isRate(*metric);
    const auto *quantity = std::get_if<HeapQuantity>(&source);
    return quantity == nullptr || (*quantity != HeapQuantity::LiveBytes && *quantity != HeapQuantity::LiveBlocks);
}

/// Makes one point of the last two where the last tick is much shorter than a usual one: a few events, or one clock tick of the kernel's, in a
/// few milliseconds would be a spike, and their absence a drop.
void joinShortEnd(std::vector<SeriesPoint> &points, const Snapshot &snapshot)
{
    const std::vector<Timestamp> &ends = snapshot.tickEnds;
    const SessionState state = snapshot.info.state;
    const bool isGoingOn = state == SessionState::Recording || state == SessionState::Paused;
    if (ends.size() < 2 || points.size() < 2 || isGoingOn)
        return;
    const Timestamp last = ends.back(), before = ends[ends.size() - 2];
    const Timestamp begin = ends.size() > 2 ? ends[ends.size() - 3] : Timestamp{};
    const SeriesPoint &earlier = points[points.size() - 2];
    const Duration length = last - before, whole = last - begin;
    const bool isPaused = std::any_of(snapshot.gaps.begin(), snapshot.gaps.end(), [&](const Gap &gap) {
        return gap.span.intersects({begin, last});
    });
    if (2 * length.ns >= snapshot.info.config.tick.ns || points.back().when != last || earlier.when != before
        || isPaused)
        return;
    const double mean
        = (points.back().value * length.seconds() + earlier.value * (before - begin).seconds()) / whole.seconds();
    points.pop_back();
    points.back() = {last, mean};
}

} // namespace

std::size_t TimeSeries::pointCount() const
{
    std::size_t count = 0;
    for (const std::vector<SeriesPoint> &segment : segments)
        count += segment.size();
    return count;
}

std::optional<SeriesPoint> TimeSeries::last() const
{
    return segments.empty() ? std::nullopt : std::optional(segments.back().back());
}

std::optional<SeriesPoint> TimeSeries::nearest(Timestamp when) const
{
    std::optional<SeriesPoint> best;
    const auto consider = [&best, when](const SeriesPoint &point) {
        if (!best || std::abs((point.when - when).ns) < std::abs((best->when - when).ns))
            best = point;
    };
    const auto segment = std::partition_point(segments.begin(), segments.end(),
        [when](const std::vector<SeriesPoint> &earlier) { return earlier.back().when < when; });
    if (segment != segments.begin())
        consider((segment - 1)->back());
    if (segment == segments.end())
        return best;
    const auto after = std::lower_bound(segment->begin(), segment->end(), when, isEarlier);
    if (after != segment->begin())
        consider(*(after - 1));
    consider(*after);
    return best;
}

std::optional<TimeSeries::Extent> TimeSeries::extent(TimeRange range) const
{
    std::optional<Extent> extent;
    for (const std::vector<SeriesPoint> &segment : segments) {
        auto point = std::lower_bound(segment.begin(), segment.end(), range.begin, isEarlier);
        for (; point != segment.end() && point->when <= range.end; ++point) {
            extent = extent ? Extent{std::min(extent->least, point->value), std::max(extent->greatest, point->value)}
                            : Extent{point->value, point->value};
        }
    }
    return extent;
}

TimeSeries timeSeries(const Snapshot &snapshot, const SeriesSource &source, std::optional<ProcessId> process)
{
    if (!process)
        process = snapshot.selection.process;
    std::vector<SeriesPoint> points = seriesValues(snapshot, source, process);
    if (isRate(source))
        joinShortEnd(points, snapshot);
    return {source, split(points, snapshot.gaps)};
}

TimeSeries downsampled(const TimeSeries &series, TimeRange range, std::size_t columns)
{
    TimeSeries result{series.source, {}};
    if (columns == 0 || range.isEmpty())
        return result;
    // A gap that is narrower than a column cannot be seen, but each segment costs its reader an item to draw.
    const Duration least{range.length().ns / static_cast<std::int64_t>(columns)};
    std::vector<SeriesPoint> joined;
    const auto close = [&] {
        if (std::vector<SeriesPoint> points = downsampledSegment(joined, range, columns); !points.empty())
            result.segments.push_back(std::move(points));
        joined.clear();
    };
    for (const std::vector<SeriesPoint> &segment : series.segments) {
        if (!joined.empty() && segment.front().when - joined.back().when >= least)
            close();
        joined.insert(joined.end(), segment.begin(), segment.end());
    }
    close();
    return result;
}

} // namespace model
