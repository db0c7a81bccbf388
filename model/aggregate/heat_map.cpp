// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heat_map.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

double valueOf(const HeapSizeCell &cell, HeatWeight weight)
{
    return static_cast<double>(weight == HeatWeight::Allocations ? cell.allocations : cell.bytes);
}

/// Number of different ticks in `range`: finer columns would show stripes, not more.
std::size_t tickCount(const Snapshot &snapshot, TimeRange range)
{
    return static_cast<std::size_t>(std::count_if(snapshot.tickEnds.begin(), snapshot.tickEnds.end(),
        [range](Timestamp end) { return range.begin < end && end <= range.end; }));
}

void spread(const HeapSizeCell &cell, HeatMap &map)
{
    const double columnNs = static_cast<double>(map.range.length().ns) / static_cast<double>(map.columns);
    const auto begin = static_cast<double>(std::max(cell.span.begin, map.range.begin).ns - map.range.begin.ns);
    const auto end = static_cast<double>(std::min(cell.span.end, map.range.end).ns - map.range.begin.ns);
    const auto whole = static_cast<double>(cell.span.length().ns);
    const std::size_t row = cell.bin - std::size_t{map.firstBin};
    const auto lastColumn = static_cast<double>(map.columns - 1);
    const auto first = static_cast<std::size_t>(std::min(begin / columnNs, lastColumn));
    const auto last = static_cast<std::size_t>(std::clamp(std::ceil(end / columnNs) - 1, 0.0, lastColumn));
    for (std::size_t column = first; column <= last; ++column) {
        const double left = std::max(begin, static_cast<double>(column) * columnNs);
        const double right = column == last ? end : std::min(end, static_cast<double>(column + 1) * columnNs);
        map.cells[column * map.rows + row] += valueOf(cell, map.weight) * std::max(0.0, right - left) / whole;
    }
}

} // namespace

TimeRange HeatMap::columnSpan(std::size_t column) const
{
    const auto edge = [this](std::size_t i) {
        const double part = static_cast<double>(i) / static_cast<double>(columns);
        return Timestamp{range.begin.ns + std::llround(static_cast<double>(range.length().ns) * part)};
    };
    return {edge(column), edge(column + 1)};
}

HeatMap heatMap(const Snapshot &snapshot, TimeRange range, HeatWeight weight, std::size_t columns)
{
    HeatMap map{.range = range, .weight = weight};
    std::uint16_t lastBin = 0;
    bool isEmpty = true;
    const auto counts = [&](const HeapSizeCell &cell) {
        return cell.span.intersects(range) && !cell.span.isEmpty() && valueOf(cell, weight) > 0;
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
    map.columns = std::min(columns, std::max<std::size_t>(1, tickCount(snapshot, range)));
    map.rows = std::size_t{lastBin} - map.firstBin + 1;
    map.cells.assign(map.columns * map.rows, 0);
    for (const HeapSizeCell &cell : snapshot.heapSizes)
        if (counts(cell))
            spread(cell, map);
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
