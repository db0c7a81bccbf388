// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/season.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace model {

namespace {

constexpr std::size_t kTerms = 6; ///< level, slope, two harmonics
using Row = std::array<double, kTerms>;

Row termsAt(double block, double length, double period)
{
    const double angle = 2 * std::numbers::pi * block / period;
    return {1, block / length, std::sin(angle), std::cos(angle), std::sin(2 * angle), std::cos(2 * angle)};
}

/// Least squares of `values` on the first `terms` terms, by normal equations and elimination with pivots.
Row fit(std::span<const double> values, double period, std::size_t terms)
{
    std::array<std::array<double, kTerms + 1>, kTerms> matrix{};
    const auto length = static_cast<double>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Row row = termsAt(static_cast<double>(i), length, period);
        for (std::size_t r = 0; r < terms; ++r) {
            for (std::size_t c = 0; c < terms; ++c)
                matrix[r][c] += row[r] * row[c];
            matrix[r][kTerms] += row[r] * values[i];
        }
    }
    for (std::size_t pivot = 0; pivot < terms; ++pivot) {
        std::size_t best = pivot;
        for (std::size_t r = pivot + 1; r < terms; ++r)
            if (std::abs(matrix[r][pivot]) > std::abs(matrix[best][pivot]))
                best = r;
        std::swap(matrix[pivot], matrix[best]);
        if (matrix[pivot][pivot] == 0)
            continue;
        for (std::size_t r = 0; r < terms; ++r) {
            const double factor = r == pivot ? 0 : matrix[r][pivot] / matrix[pivot][pivot];
            for (std::size_t c = pivot; factor != 0 && c <= kTerms; ++c)
                matrix[r][c] -= factor * matrix[pivot][c];
        }
    }
    Row factors{};
    for (std::size_t r = 0; r < terms; ++r)
        factors[r] = matrix[r][r] != 0 ? matrix[r][kTerms] / matrix[r][r] : 0;
    return factors;
}

std::vector<double> residualsOf(std::span<const double> values, double period, const Row &factors)
{
    std::vector<double> residuals;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Row row = termsAt(static_cast<double>(i), static_cast<double>(values.size()), period);
        double expected = 0;
        for (std::size_t r = 0; r < kTerms; ++r)
            expected += factors[r] * row[r];
        residuals.push_back(values[i] - expected);
    }
    return residuals;
}

double squaresOf(const std::vector<double> &residuals)
{
    double sum = 0;
    for (const double residual : residuals)
        sum += residual * residual;
    return sum;
}

} // namespace

double Season::at(double block) const
{
    const Row row = termsAt(block, 1, periodBlocks);
    return factors[0] * row[2] + factors[1] * row[3] + factors[2] * row[4] + factors[3] * row[5];
}

std::optional<Season> findSeason(std::span<const double> values, double periodBlocks)
{
    const auto n = static_cast<double>(values.size());
    if (periodBlocks < 8 || n < 1.5 * periodBlocks)
        return std::nullopt;
    const std::vector<double> plain = residualsOf(values, periodBlocks, fit(values, periodBlocks, 2));
    const Row factors = fit(values, periodBlocks, kTerms);
    const std::vector<double> seasonal = residualsOf(values, periodBlocks, factors);
    const double squares = squaresOf(seasonal);
    if (squares <= 0 || squaresOf(plain) <= 0)
        return std::nullopt;
    double products = 0;
    for (std::size_t i = 1; i < seasonal.size(); ++i)
        products += seasonal[i] * seasonal[i - 1];
    const double rho = std::clamp(products / squares, 0.0, 0.95);
    const double effective = n * (1 - rho) / (1 + rho);
    if (effective * std::log(squaresOf(plain) / squares) <= 4 * std::log(std::max(effective, 3.0)) + 4)
        return std::nullopt;
    return Season{periodBlocks, {factors[2], factors[3], factors[4], factors[5]}};
}

} // namespace model
