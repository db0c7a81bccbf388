// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <cstdint>
#include <vector>

namespace model {

enum class HeatWeight : std::uint8_t { Allocations, Bytes };

/// Allocations by time and size. Columns hold whole ticks, left to right; rows are size bins, smallest first. A tick counts in `range` when it
/// ends there.
struct HeatMap
{
    TimeRange range;
    HeatWeight weight = HeatWeight::Allocations;
    std::size_t columns = 0;
    std::vector<Timestamp> edges; ///< of the columns, one more than these
    std::uint16_t firstBin = 0;   ///< of row 0, see model/heap/size_bins.h
    std::size_t rows = 0;         ///< from the smallest bin with any allocation to the largest
    std::vector<double> cells;    ///< column × rows + row; allocations or bytes in the cell
    double greatest = 0;
    double sum = 0;

    double at(std::size_t column, std::size_t row) const { return cells[column * rows + row]; }
    TimeRange columnSpan(std::size_t column) const { return {edges[column], edges[column + 1]}; }
};

/// The map of `range` in at most `columns` columns, fewer where there are fewer ticks or the same number of them a column makes fewer. Without columns or rows when nothing was
/// allocated. Pure.
HeatMap heatMap(const Snapshot &snapshot, TimeRange range, HeatWeight weight, std::size_t columns);

/// Shade of a value, 0 to 1: 0 only for 0, logarithmic in between, 1 for `greatest`.
double heatShade(double value, double greatest);

} // namespace model
