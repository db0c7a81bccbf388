// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/series_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace model {

namespace {

constexpr std::array kRoundSeconds{0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 180.0,
    300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0};

std::int64_t usualStepNs(const std::vector<SeriesPoint> &points)
{
    std::vector<std::int64_t> steps;
    for (std::size_t i = 1; i < points.size(); ++i)
        steps.push_back((points[i].when - points[i - 1].when).ns);
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    return *middle;
}

std::int64_t blockLengthNs(std::int64_t stepNs, std::int64_t spanNs, std::size_t most)
{
    // A little longer than the step would leave every few blocks with two points; one per cent is jitter.
    const double least
        = std::max(static_cast<double>(stepNs) * 0.99, static_cast<double>(spanNs) / static_cast<double>(most)) * 1e-9;
    const auto found = std::lower_bound(kRoundSeconds.begin(), kRoundSeconds.end(), least);
    return std::llround((found != kRoundSeconds.end() ? *found : least) * 1e9);
}

void fillHoles(SeriesBlocks &blocks)
{
    std::size_t before = 0; // the first block has a point
    for (std::size_t i = 1; i < blocks.values.size(); ++i) {
        if (std::isnan(blocks.values[i]))
            continue;
        const double step = (blocks.values[i] - blocks.values[before]) / static_cast<double>(i - before);
        for (std::size_t hole = before + 1; hole < i; ++hole) {
            blocks.values[hole] = blocks.values[before] + step * static_cast<double>(hole - before);
            ++blocks.filled;
        }
        before = i;
    }
}

} // namespace

Timestamp SeriesBlocks::endOf(std::size_t block) const
{
    return span.begin + Duration{length.ns * static_cast<std::int64_t>(block + 1)};
}

Duration leastBlock(Duration step) { return {blockLengthNs(step.ns, 0, 1)}; }

std::optional<Duration> usualStep(const TimeSeries &series)
{
    std::vector<SeriesPoint> points;
    for (const std::vector<SeriesPoint> &segment : series.segments)
        points.insert(points.end(), segment.begin(), segment.end());
    return points.size() < 2 ? std::nullopt : std::optional(Duration{usualStepNs(points)});
}

SeriesBlocks seriesBlocks(const TimeSeries &series, TimeRange range, std::size_t most)
{
    std::vector<SeriesPoint> points;
    for (const std::vector<SeriesPoint> &segment : series.segments)
        for (const SeriesPoint &point : segment)
            if (range.begin <= point.when && point.when <= range.end)
                points.push_back(point);
    SeriesBlocks blocks;
    if (points.size() < 2 || points.back().when == points.front().when)
        return blocks;
    const std::int64_t stepNs = usualStepNs(points);
    const std::int64_t spanNs = (points.back().when - points.front().when).ns + stepNs;
    blocks.length = {blockLengthNs(stepNs, spanNs, most)};
    // Counted back from the last point, which ends the last block; a first block that is not half covered is left out.
    // Half a step is added so that the jitter of the points does not decide which block they are in.
    const auto blockOf = [&](const SeriesPoint &point) {
        return ((points.back().when - point.when).ns + stepNs / 2) / blocks.length.ns;
    };
    std::int64_t count = blockOf(points.front()) + 1;
    const auto inFirst = std::count_if(
        points.begin(), points.end(), [&](const SeriesPoint &point) { return blockOf(point) == count - 1; });
    if (count > 2 && inFirst * stepNs * 2 < blocks.length.ns)
        --count;
    std::vector<double> sums(static_cast<std::size_t>(count), 0);
    std::vector<double> counts(sums.size(), 0);
    for (const SeriesPoint &point : points) {
        const std::int64_t fromEnd = blockOf(point);
        if (fromEnd >= count)
            continue;
        const auto block = static_cast<std::size_t>(count - 1 - fromEnd);
        sums[block] += point.value;
        counts[block] += 1;
    }
    std::size_t first = 0;
    while (counts[first] == 0)
        ++first;
    for (std::size_t i = first; i < sums.size(); ++i)
        blocks.values.push_back(counts[i] > 0 ? sums[i] / counts[i] : std::numeric_limits<double>::quiet_NaN());
    fillHoles(blocks);
    blocks.span.end = points.back().when;
    blocks.span.begin = blocks.span.end - Duration{blocks.length.ns * static_cast<std::int64_t>(blocks.values.size())};
    return blocks;
}

} // namespace model
