// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/layout/heat_map_layout.h"

#include "model/base/format_units.h"
#include "model/heap/size_bins.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace model {

namespace {

constexpr std::size_t kMostSizeTicks = 8;

/// Marks at powers of two, as many of them skipped as it takes.
std::vector<HeatTick> sizeTicks(const HeatMap &map, double heightPx)
{
    std::vector<HeatTick> ticks;
    const double rowPx = heightPx / static_cast<double>(map.rows);
    for (unsigned everyPower = 1; ticks.empty() || ticks.size() > kMostSizeTicks; everyPower *= 2) {
        ticks.clear();
        for (std::size_t row = 0; row < map.rows; ++row) {
            const std::uint64_t size = sizeBinBegin(static_cast<std::uint16_t>(map.firstBin + row));
            const bool isPower = std::has_single_bit(size);
            if (isPower && static_cast<unsigned>(std::countr_zero(size)) % everyPower == 0)
                ticks.push_back({static_cast<float>(heightPx - rowPx * static_cast<double>(row)),
                    formatBytes(static_cast<double>(size))});
        }
        if (everyPower > 64)
            break;
    }
    if (ticks.empty()) {
        const auto least = static_cast<double>(sizeBinBegin(map.firstBin));
        ticks.push_back({static_cast<float>(heightPx), formatBytes(least)});
    }
    return ticks;
}

std::vector<double> scaleMarks(double greatest)
{
    std::vector<double> marks;
    for (double mark = 1; mark < greatest; mark *= 10)
        marks.push_back(mark);
    while (marks.size() > 4) {
        std::vector<double> fewer;
        for (std::size_t i = 0; i < marks.size(); i += 2)
            fewer.push_back(marks[i]);
        marks = fewer;
    }
    marks.push_back(greatest);
    return marks;
}

} // namespace

std::optional<HeatMapLayout::Cell> HeatMapLayout::at(double x, double y) const
{
    if (columns == 0 || rows == 0 || x < 0 || y < 0 || x >= widthPx || y >= heightPx)
        return std::nullopt;
    const auto next = std::upper_bound(columnPx.begin(), columnPx.end(), static_cast<float>(x));
    const auto column = static_cast<std::size_t>(std::max<std::ptrdiff_t>(next - columnPx.begin(), 1)) - 1;
    const auto fromTop = static_cast<std::size_t>(y / heightPx * static_cast<double>(rows));
    return Cell{std::min(column, columns - 1), rows - 1 - std::min(fromTop, rows - 1)};
}

HeatMapLayout heatMapLayout(const HeatMap &map, double widthPx, double heightPx)
{
    HeatMapLayout layout{.columns = map.columns, .rows = map.rows, .widthPx = widthPx, .heightPx = heightPx};
    if (map.columns == 0 || map.rows == 0)
        return layout;
    const auto length = static_cast<double>(std::max<std::int64_t>(map.range.length().ns, 1));
    for (const Timestamp edge : map.edges)
        layout.columnPx.push_back(
            static_cast<float>(static_cast<double>((edge - map.range.begin).ns) / length * widthPx));
    const double rowPx = heightPx / static_cast<double>(map.rows);
    for (std::size_t column = 0; column < map.columns; ++column)
        for (std::size_t row = 0; row < map.rows; ++row) {
            const double shade = heatShade(map.at(column, row), map.greatest);
            if (shade > 0)
                layout.rects.push_back({static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row),
                    layout.columnPx[column], static_cast<float>(heightPx - rowPx * static_cast<double>(row + 1)),
                    layout.columnPx[column + 1] - layout.columnPx[column], static_cast<float>(rowPx),
                    static_cast<float>(shade)});
        }
    layout.sizeTicks = sizeTicks(map, heightPx);
    layout.scale = scaleMarks(map.greatest);
    return layout;
}

} // namespace model
