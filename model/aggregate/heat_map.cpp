// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heat_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace model {

namespace {

double valueOf(const HeapSizeCell &cell, HeatWeight weight)
{
    return static_cast<double>(weight == HeatWeight::Allocations ? cell.allocations : cell.bytes);
}

/// Ends of ticks in `range`, ascending.
std::vector<Timestamp> ticksIn(const Snapshot &snapshot, TimeRange range)
{
    std::vector<Timestamp> ends;
    for (const Timestamp end : snapshot.tickEnds)
        if (range.begin < end && end <= range.end)
            ends.push_back(end);
    return ends;
}

Duration usualTick(const std::vector<Timestamp> &ends, TimeRange range)
{
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 0; i < ends.size(); ++i)
        lengths.push_back((ends[i] - (i > 0 ? ends[i - 1] : range.begin)).ns);
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::nth_element(lengths.begin(), middle, lengths.end());
    return {*middle};
}

/// Edges at ends of ticks, at least `least` apart.
std::vector<Timestamp> edgesApart(const std::vector<Timestamp> &ends, TimeRange range, Duration least)
{
    std::vector<Timestamp> edges{range.begin};
    for (const Timestamp end : ends)
        if (end - edges.back() >= least)
            edges.push_back(end);
    if (edges.size() > 1 && range.end - edges.back() < least)
        edges.pop_back();
    edges.push_back(range.end);
    return edges;
}

/// As many ticks a column as it takes, the same number in each: one more in some would be stripes.
std::vector<Timestamp> columnEdges(const Snapshot &snapshot, TimeRange range, std::size_t columns)
{
    const std::vector<Timestamp> ends = ticksIn(snapshot, range);
    if (ends.empty())
        return {range.begin, range.end};
    const Duration usual = usualTick(ends, range);
    auto ticks = static_cast<std::int64_t>(ends.size() / columns);
    for (ticks = std::max<std::int64_t>(ticks, 1);; ++ticks) {
        std::vector<Timestamp> edges = edgesApart(ends, range, {usual.ns * ticks - usual.ns / 2});
        if (edges.size() <= columns + 1)
            return edges;
    }
}

} // namespace

HeatMap heatMap(const Snapshot &snapshot, TimeRange range, HeatWeight weight, std::size_t columns)
{
    HeatMap map{.range = range, .weight = weight};
    std::uint16_t lastBin = 0;
    bool isEmpty = true;
    const auto counts = [&](const HeapSizeCell &cell) {
        return range.begin < cell.span.end && cell.span.end <= range.end && valueOf(cell, weight) > 0;
    };
    for (const HeapSizeCell &cell : snapshot.heapSizes) {
        if (!counts(cell))
            continue;
        map.firstBin = isEmpty ? cell.bin : std::min(map.firstBin, cell.bin);
        lastBin = isEmpty ? cell.bin : std::max(lastBin, cell.bin);
        isEmpty = false;
    }
    if (isEmpty || columns == 0)
        return map;
    map.edges = columnEdges(snapshot, range, columns);
    map.columns = map.edges.size() - 1;
    map.rows = std::size_t{lastBin} - map.firstBin + 1;
    map.cells.assign(map.columns * map.rows, 0);
    for (const HeapSizeCell &cell : snapshot.heapSizes)
        if (counts(cell)) {
            const auto edge = std::lower_bound(map.edges.begin() + 1, map.edges.end(), cell.span.end);
            const auto column = static_cast<std::size_t>(edge - map.edges.begin()) - 1;
            map.cells[column * map.rows + cell.bin - map.firstBin] += valueOf(cell, weight);
        }
    for (const double value : map.cells) {
        map.greatest = std::max(map.greatest, value);
        map.sum += value;
    }
    return map;
}

double heatShade(double value, double greatest)
{
    if (value <= 0 || greatest <= 0)
        return 0;
    return std::min(1.0, std::log1p(value) / std::log1p(greatest));
}

} // namespace model
