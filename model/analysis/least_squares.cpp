// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/least_squares.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

using Matrix = std::array<FitRow, kMostColumns>;

/// Replaces the lower half of a symmetric matrix by its Cholesky factor; false if it is not positive definite.
bool factorize(Matrix &matrix, std::size_t columns)
{
    for (std::size_t j = 0; j < columns; ++j) {
        const double whole = matrix[j][j];
        for (std::size_t k = 0; k < j; ++k)
            matrix[j][j] -= matrix[j][k] * matrix[j][k];
        if (!(matrix[j][j] > 1e-12 * whole))
            return false;
        matrix[j][j] = std::sqrt(matrix[j][j]);
        for (std::size_t i = j + 1; i < columns; ++i) {
            for (std::size_t k = 0; k < j; ++k)
                matrix[i][j] -= matrix[i][k] * matrix[j][k];
            matrix[i][j] /= matrix[j][j];
        }
    }
    return true;
}

FitRow solve(const Matrix &factor, std::size_t columns, FitRow right)
{
    for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t k = 0; k < i; ++k)
            right[i] -= factor[i][k] * right[k];
        right[i] /= factor[i][i];
    }
    for (std::size_t i = columns; i-- > 0;) {
        for (std::size_t k = i + 1; k < columns; ++k)
            right[i] -= factor[k][i] * right[k];
        right[i] /= factor[i][i];
    }
    return right;
}

} // namespace

std::optional<LeastSquares> leastSquares(
    std::span<const FitRow> rows, std::size_t columns, std::span<const double> values)
{
    const std::size_t count = std::min(rows.size(), values.size());
    if (count < columns || columns == 0)
        return std::nullopt;
    Matrix normal{};
    FitRow right{};
    for (std::size_t row = 0; row < count; ++row)
        for (std::size_t i = 0; i < columns; ++i) {
            right[i] += rows[row][i] * values[row];
            for (std::size_t j = 0; j <= i; ++j)
                normal[i][j] += rows[row][i] * rows[row][j];
        }
    if (!factorize(normal, columns))
        return std::nullopt;
    LeastSquares fit;
    fit.coefficients = solve(normal, columns, right);
    for (std::size_t i = 0; i < columns; ++i) {
        FitRow unit{};
        unit[i] = 1;
        fit.inverseDiagonal[i] = solve(normal, columns, unit)[i];
    }
    fit.residuals.reserve(count);
    double products = 0;
    for (std::size_t row = 0; row < count; ++row) {
        double residual = values[row];
        for (std::size_t i = 0; i < columns; ++i)
            residual -= fit.coefficients[i] * rows[row][i];
        products += fit.residuals.empty() ? 0 : residual * fit.residuals.back();
        fit.squares += residual * residual;
        fit.residuals.push_back(residual);
    }
    fit.lag1 = fit.squares > 0 ? products / fit.squares : 0;
    return fit;
}

} // namespace model
