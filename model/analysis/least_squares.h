// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace model {

/// Most columns of a fit.
inline constexpr std::size_t kMostColumns = 8;
using FitRow = std::array<double, kMostColumns>;

/// Ordinary least squares of `values` on the first `columns` of `rows`.
struct LeastSquares
{
    FitRow coefficients{};
    FitRow inverseDiagonal{}; ///< of (XᵀX)⁻¹: variance of a coefficient ÷ that of the noise
    std::vector<double> residuals;
    double squares = 0; ///< sum of the residuals' squares
    double lag1 = 0;    ///< their lag-1 correlation, raw
};

/// Solves by Cholesky's decomposition; nothing if there are fewer rows than columns, or columns that depend on each other.
std::optional<LeastSquares> leastSquares(
    std::span<const FitRow> rows, std::size_t columns, std::span<const double> values);

} // namespace model
