// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/heat_map.h"

#include <optional>
#include <string>
#include <vector>

namespace model {

/// A cell of a heat map in pixels from the upper left corner of the plot; sizes grow upwards.
struct HeatRect
{
    std::uint32_t column = 0;
    std::uint32_t row = 0;
    float x = 0;
    float y = 0;
    float width = 0;
    float height = 0;
    float shade = 0; ///< 0 to 1, see heatShade()
};

/// A mark on the size axis: the lower edge of a bin.
struct HeatTick
{
    float y = 0;
    std::string label; ///< "4 KiB"
};

struct HeatMapLayout
{
    std::vector<HeatRect> rects; ///< cells with anything in them only
    std::vector<HeatTick> sizeTicks;
    std::vector<double>
        scale; ///< values of the colour scale's marks, ascending: powers of ten up to the greatest, and that
    std::vector<float> columnPx; ///< edges of the columns, one more than these
    std::size_t columns = 0;
    std::size_t rows = 0;
    double widthPx = 0;
    double heightPx = 0;

    struct Cell
    {
        std::size_t column = 0;
        std::size_t row = 0;
    };
    /// The cell at a place; empty outside.
    std::optional<Cell> at(double x, double y) const;
};

/// Places a heat map in `widthPx` × `heightPx`; at most eight marks on the size axis. Pure.
HeatMapLayout heatMapLayout(const HeatMap &map, double widthPx, double heightPx);

} // namespace model
