// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/robust_trend.h"

#include <span>

namespace model {

/// Whether the values of one sample are greater than those of another.
struct RankTest
{
    double pValue = 1; ///< one-sided: of b not being greater than a
    double superiority
        = 0.5; ///< the effect size: probability that a value of b exceeds one of a, ties counted half; U / (n·m)
};

/// Mann and Whitney (1947): of "b is greater". Exact for up to 20 values each without ties, by their recursion; else the normal
/// approximation with correction for ties and continuity. Without values p is 1.
RankTest mannWhitney(std::span<const double> a, std::span<const double> b);

/// Where the middle of a symmetric distribution lies.
struct Location
{
    double estimate = 0; ///< median of all means of two values, a value with itself too (Hodges and Lehmann 1963)
    Interval
        interval95; ///< the Walsh averages at the ranks that Wilcoxon's signed-rank test does not reject at 5 %; the whole line
                    ///< below 6 values
};
Location hodgesLehmann(std::span<const double> values);

/// The middle value; the mean of the two in the middle. 0 without values.
double medianOf(std::span<const double> values);

} // namespace model
