// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>

namespace model {

/// A value and the interval that holds it with the stated confidence.
struct Interval
{
    double low = 0;
    double high = 0;
};

/// The slope of a series and how sure it is.
struct RobustTrend
{
    double slope = 0;  ///< median of all slopes between two points (Theil–Sen); value per unit of time
    double level = 0;  ///< median of value − slope × time: the value at time 0
    Interval slope90;  ///< 90 % interval, widened for the residuals' lag-1 correlation
    double tau = 0;    ///< Kendall's rank correlation of value and time, −1 to 1
    double pValue = 1; ///< two-sided, of "no trend", with the effective number of points
    double lag1 = 0;   ///< lag-1 correlation of the residuals, bias-corrected, 0 to 0.95
    double effectiveN = 0;
    std::size_t n = 0;
};

/// Fits a robust line through (times[i], values[i]), times ascending. Meant for some ten to a few hundred block means, O(n²); feed blocks, not
/// raw samples: their correlation makes every p-value a lie. With fewer than 3 points the slope is 0 and nothing is significant.
RobustTrend robustTrend(std::span<const double> times, std::span<const double> values);

} // namespace model
