// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/local_level.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace model {

namespace {

constexpr std::array kStepRatios{0.0, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0};

/// One pass of the filter, variances in units of var(e). Starts exactly diffuse: from the first two values.
LocalLevelFit filter(std::span<const double> values, double stepRatio, double leastVariance)
{
    double level = values[1];
    double drift = values[1] - values[0];
    double p00 = 1;
    double p01 = 1;
    double p11 = 2 + stepRatio;
    double logs = 0;
    double squares = 0;
    for (std::size_t i = 2; i < values.size(); ++i) {
        const double q00 = p00 + 2 * p01 + p11 + stepRatio;
        const double q01 = p01 + p11;
        const double variance = q00 + 1;
        const double error = values[i] - level - drift;
        const double gain0 = q00 / variance;
        const double gain1 = q01 / variance;
        level += drift + gain0 * error;
        drift += gain1 * error;
        p00 = q00 - gain0 * q00;
        p11 -= gain1 * q01;
        p01 = q01 - gain0 * q01;
        logs += std::log(variance);
        squares += error * error / variance;
    }
    const auto count = static_cast<double>(values.size() - 2);
    const double errorVariance = std::max(squares / count, leastVariance);
    return {.level = level,
        .drift = drift,
        .levelVariance = p00 * errorVariance,
        .covariance = p01 * errorVariance,
        .driftVariance = p11 * errorVariance,
        .errorVariance = errorVariance,
        .stepRatio = stepRatio,
        .logLikelihood = -0.5 * (logs + count * std::log(errorVariance)),
        .n = values.size()};
}

/// Sums over prefixes of a series, from which the residuals of a straight line through any part follow in O(1).
class LineSums
{
public:
    explicit LineSums(std::span<const double> values)
        : m_sums(values.size() + 1)
    {
        const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double x = static_cast<double>(i) - static_cast<double>(values.size()) / 2;
            const double y = values[i] - mean;
            const Sums &before = m_sums[i];
            m_sums[i + 1] = {before.x + x, before.xx + x * x, before.y + y, before.xy + x * y, before.yy + y * y};
        }
    }

    /// Sum of squared residuals of the line through [begin, end).
    double residuals(std::size_t begin, std::size_t end) const
    {
        const Sums &a = m_sums[begin];
        const Sums &b = m_sums[end];
        const auto n = static_cast<double>(end - begin);
        const double sx = b.x - a.x;
        const double sy = b.y - a.y;
        const double sxx = b.xx - a.xx - sx * sx / n;
        const double sxy = b.xy - a.xy - sx * sy / n;
        const double syy = b.yy - a.yy - sy * sy / n;
        return std::max(0.0, sxx > 0 ? syy - sxy * sxy / sxx : syy);
    }

private:
    struct Sums
    {
        double x = 0;
        double xx = 0;
        double y = 0;
        double xy = 0;
        double yy = 0;
    };
    std::vector<Sums> m_sums;
};

/// Residuals of the least-squares line through `values`, appended to `residuals`.
void appendResiduals(std::span<const double> values, std::vector<double> &residuals)
{
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double sxx = 0;
    double sxy = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = static_cast<double>(i) - (n - 1) / 2;
        sxx += x * x;
        sxy += x * (values[i] - mean);
    }
    const double slope = sxx > 0 ? sxy / sxx : 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        residuals.push_back(values[i] - mean - slope * (static_cast<double>(i) - (n - 1) / 2));
}

double lag1Of(const std::vector<double> &residuals)
{
    const double squares = std::inner_product(residuals.begin(), residuals.end(), residuals.begin(), 0.0);
    const double products = std::inner_product(residuals.begin() + 1, residuals.end(), residuals.begin(), 0.0);
    return squares > 0 ? std::clamp(products / squares, 0.0, 0.9) : 0;
}

/// Where two lines through [begin, end) leave the least residuals, of the positions first, first + step … before last.
struct Split
{
    std::size_t at = 0; ///< 0: no position is better than one line
    double residuals = 0;
};

Split bestSplit(
    const LineSums &sums, std::size_t begin, std::size_t end, std::size_t first, std::size_t last, std::size_t step)
{
    Split best{0, sums.residuals(begin, end)};
    for (std::size_t at = first; at < last; at += step) {
        const double residuals = sums.residuals(begin, at) + sums.residuals(at, end);
        if (residuals < best.residuals)
            best = {at, residuals};
    }
    return best;
}

} // namespace

double LocalLevelFit::variance(double blocks) const
{
    return levelVariance + 2 * blocks * covariance + blocks * blocks * driftVariance + blocks * stepVariance()
        + errorVariance;
}

LocalLevelFit fitLocalLevel(std::span<const double> values)
{
    const double size = std::abs(
        *std::max_element(values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
    const double leastVariance = std::max(size * size * 1e-18, 1e-18);
    LocalLevelFit best = filter(values, kStepRatios.front(), leastVariance);
    for (std::size_t i = 1; i < kStepRatios.size(); ++i) {
        const LocalLevelFit fit = filter(values, kStepRatios[i], leastVariance);
        if (fit.logLikelihood > best.logLikelihood)
            best = fit;
    }
    return best;
}

std::size_t lastSlopeChange(std::span<const double> values, std::size_t leastBlocks)
{
    constexpr std::size_t kPositions = 40;
    const LineSums sums(values);
    const std::size_t n = values.size();
    const double least = 1e-12 * sums.residuals(0, n) + 1e-300;
    std::size_t begin = 0;
    while (n - begin > 2 * leastBlocks) {
        const std::size_t step = std::max<std::size_t>(1, (n - begin) / kPositions);
        const std::size_t first = begin + leastBlocks;
        const std::size_t last = n - leastBlocks;
        const Split coarse = bestSplit(sums, begin, n, first, last, step);
        if (coarse.at == 0)
            break;
        std::vector<double> residuals;
        appendResiduals(values.subspan(begin, coarse.at - begin), residuals);
        appendResiduals(values.subspan(coarse.at), residuals);
        const double rho = lag1Of(residuals);
        const auto m = static_cast<double>(n - begin);
        const double gain = m * std::log(std::max(sums.residuals(begin, n), least) / std::max(coarse.residuals, least));
        if (gain * (1 - rho) / (1 + rho) <= 6 * std::log(m))
            break;
        // The coarse positions decide whether there is a change, as the threshold expects; where it is, is looked at closely.
        begin = bestSplit(sums, begin, n, std::max(first, coarse.at - std::min(coarse.at, step)),
            std::min(last, coarse.at + step + 1), 1)
                    .at;
    }
    return begin;
}

} // namespace model
