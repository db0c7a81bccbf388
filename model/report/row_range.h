// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace model {

/// Which rows of a list are written: a page of it.
struct RowRange
{
    std::size_t most = 0;  ///< 0: all
    std::size_t first = 0; ///< position of the first one; behind the end of the list none are written
};

/// The rows of a page; `rows` outlives it.
template <typename Row> std::span<const Row> rowsWithin(const std::vector<Row> &rows, RowRange range)
{
    const std::size_t first = std::min(range.first, rows.size());
    const std::size_t left = rows.size() - first;
    return std::span<const Row>(rows).subspan(first, range.most == 0 ? left : std::min(range.most, left));
}

} // namespace model
