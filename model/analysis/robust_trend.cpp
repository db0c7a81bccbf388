// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/robust_trend.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace model {

namespace {

constexpr double kZ90 = 1.6448536269514722;

double median(std::vector<double> &values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1)
        return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Variance of Kendall's S without trend, corrected for ties.
double varianceOfS(std::vector<double> values)
{
    const auto term = [](double n) { return n * (n - 1) * (2 * n + 5); };
    double variance = term(static_cast<double>(values.size()));
    std::sort(values.begin(), values.end());
    for (auto first = values.begin(); first != values.end();) {
        const auto last = std::upper_bound(first, values.end(), *first);
        variance -= term(static_cast<double>(last - first));
        first = last;
    }
    return variance / 18;
}

double lag1(std::span<const double> times, std::span<const double> values, double slope, double level)
{
    double products = 0;
    double squares = 0;
    double before = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double residual = values[i] - level - slope * times[i];
        products += i == 0 ? 0 : residual * before;
        squares += residual * residual;
        before = residual;
    }
    const double raw = squares > 0 ? products / squares : 0;
    const double corrected = raw + (1 + 4 * std::max(raw, 0.0)) / static_cast<double>(values.size());
    return squares > 0 ? std::clamp(corrected, 0.0, 0.95) : 0;
}

/// The sorted slope at a fractional rank.
double atRank(const std::vector<double> &sorted, double rank)
{
    const double last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(std::clamp(std::round(rank), 0.0, last))];
}

} // namespace

RobustTrend robustTrend(std::span<const double> times, std::span<const double> values)
{
    RobustTrend trend;
    trend.n = std::min(times.size(), values.size());
    trend.effectiveN = static_cast<double>(trend.n);
    std::vector<double> slopes;
    double score = 0;
    for (std::size_t i = 0; i < trend.n; ++i)
        for (std::size_t j = i + 1; j < trend.n; ++j) {
            if (times[j] <= times[i])
                continue;
            slopes.push_back((values[j] - values[i]) / (times[j] - times[i]));
            score += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0;
        }
    if (trend.n < 3 || slopes.empty())
        return trend;
    std::sort(slopes.begin(), slopes.end());
    trend.slope = median(slopes);
    std::sort(slopes.begin(), slopes.end());
    std::vector<double> levels;
    for (std::size_t i = 0; i < trend.n; ++i)
        levels.push_back(values[i] - trend.slope * times[i]);
    trend.level = median(levels);
    trend.lag1 = lag1(times.first(trend.n), values.first(trend.n), trend.slope, trend.level);
    const double inflation = (1 + trend.lag1) / (1 - trend.lag1);
    trend.effectiveN = static_cast<double>(trend.n) / inflation;
    trend.tau = score / static_cast<double>(slopes.size());
    const double variance
        = varianceOfS({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(trend.n)}) * inflation;
    if (variance > 0) {
        const double z = (std::abs(score) - (score == 0 ? 0 : 1)) / std::sqrt(variance);
        trend.pValue = std::erfc(z / std::sqrt(2.0));
    }
    const double spread = kZ90 * std::sqrt(std::max(variance, 0.0));
    const auto count = static_cast<double>(slopes.size());
    trend.slope90 = {atRank(slopes, (count - spread) / 2 - 1), atRank(slopes, (count + spread) / 2)};
    return trend;
}

} // namespace model
