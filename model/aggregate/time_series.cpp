// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/time_series.h"

#include "model/aggregate/series_values.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/metric_meaning.h"

#include <algorithm>
#include <array>
#include <utility>

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
std::vector<bool> breaks(const std::vector<SeriesPoint> &points, const std::vector<Gap> &gaps, Duration tick)
{
    std::vector<bool> broken(points.size());
    const std::int64_t stepNs = std::max(usualStepNs(points), tick.ns);
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

std::vector<std::vector<SeriesPoint>> split(
    const std::vector<SeriesPoint> &points, const std::vector<Gap> &gaps, Duration tick)
{
    std::vector<std::vector<SeriesPoint>> segments;
    const std::vector<bool> broken = breaks(points, gaps, tick);
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

/// How long the ticks are that points are means over.
class TickLengths
{
public:
    explicit TickLengths(const Snapshot &snapshot)
        : m_snapshot(snapshot)
    {
    }

    /// In nanoseconds, without the pause it begins in; that of a usual tick where none ends then. Ask in order of time.
    std::int64_t endingAt(Timestamp when)
    {
        const std::vector<Timestamp> &ends = m_snapshot.tickEnds;
        const std::vector<Gap> &gaps = m_snapshot.gaps;
        while (m_tick < ends.size() && ends[m_tick] < when)
            ++m_tick;
        if (m_tick == ends.size() || ends[m_tick] != when)
            return usual();
        Timestamp begin = m_tick > 0 ? ends[m_tick - 1] : Timestamp{};
        while (m_gap < gaps.size() && gaps[m_gap].span.end <= begin)
            ++m_gap;
        for (std::size_t i = m_gap; i < gaps.size() && gaps[i].span.begin < when; ++i)
            if (gaps[i].span.end < when)
                begin = std::max(begin, gaps[i].span.end);
        return (when - begin).ns;
    }

    std::int64_t usual() const { return m_snapshot.info.config.tick.ns; }

private:
    const Snapshot &m_snapshot;
    std::size_t m_tick = 0;
    std::size_t m_gap = 0;
};

/// Joins ticks that are much shorter than a usual one with those that follow, the last ones with what is before them: a few events, or one
/// clock tick of the kernel's, in a few milliseconds would be a spike, and their absence a drop. The newest tick of a recording that goes on waits for the next.
void joinShortTicks(std::vector<SeriesPoint> &segment, TickLengths &ticks, bool goesOn)
{
    std::vector<SeriesPoint> joined;
    double sum = 0, earlierSum = 0;
    std::int64_t length = 0, earlierLength = 0; // of the point in the making, and of the last one that was made
    for (const SeriesPoint &point : segment) {
        const std::int64_t tick = ticks.endingAt(point.when);
        sum += point.value * static_cast<double>(tick);
        length += tick;
        if (2 * length < ticks.usual())
            continue;
        joined.push_back({point.when, length == tick ? point.value : sum / static_cast<double>(length)});
        earlierSum = std::exchange(sum, 0);
        earlierLength = std::exchange(length, 0);
    }
    if (joined.empty())
        return;
    if (length > 0 && !goesOn)
        joined.back() = {segment.back().when, (earlierSum + sum) / static_cast<double>(earlierLength + length)};
    segment = std::move(joined);
}

void joinShortTicks(std::vector<std::vector<SeriesPoint>> &segments, const Snapshot &snapshot)
{
    TickLengths ticks(snapshot);
    for (std::vector<SeriesPoint> &segment : segments)
        joinShortTicks(segment, ticks, snapshot.info.state == SessionState::Recording && &segment == &segments.back());
}

/// Whether a series that ends at `last` lacks no more than the last tick of a recording that has ended, and nothing says why.
bool isUnreadAtEnd(const Snapshot &snapshot, const SeriesSource &source, Timestamp last)
{
    const std::vector<Timestamp> &ends = snapshot.tickEnds;
    const SessionState state = snapshot.info.state;
    const bool hasEnded = state == SessionState::Complete || state == SessionState::Unfinished;
    return hasEnded && !isRate(source) && ends.size() > 1 && last == ends[ends.size() - 2]
        && std::none_of(snapshot.gaps.begin(), snapshot.gaps.end(), [&](const Gap &gap) {
               return gap.span.intersects({last, ends.back()});
           });
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
    if (std::holds_alternative<HeapQuantity>(source) && !isHeapRecorded(snapshot, process))
        return {source, {}};
    TimeSeries series{source, split(seriesValues(snapshot, source, process), snapshot.gaps, snapshot.info.config.tick)};
    if (isRate(source))
        joinShortTicks(series.segments, snapshot);
    return series;
}

TimeSeries overWholeTicks(TimeSeries series, const Snapshot &snapshot)
{
    if (series.isEmpty() || snapshot.tickEnds.empty())
        return series;
    std::vector<SeriesPoint> &first = series.segments.front();
    if (first.front().when == snapshot.tickEnds.front() && first.front().when > Timestamp{})
        first.insert(first.begin(), {Timestamp{}, first.front().value});
    if (const std::optional<Timestamp> until = drawnUntil(series, snapshot))
        series.segments.back().push_back({*until, series.last()->value});
    return series;
}

std::optional<Timestamp> drawnUntil(const TimeSeries &series, const Snapshot &snapshot)
{
    const std::optional<SeriesPoint> last = series.last();
    return last && isUnreadAtEnd(snapshot, series.source, last->when) ? std::optional(snapshot.tickEnds.back())
                                                                      : std::nullopt;
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
