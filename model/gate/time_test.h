// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/robust_trend.h"

#include <cstddef>
#include <span>

namespace model {

/// What repeated runs of two versions say about a noisy quantity.
struct PairedTest
{
    double ratio = 1;            ///< of b to a: Hodges–Lehmann of the logarithms of the pairs' ratios
    Interval ratio95{0, 0};      ///< from Wilcoxon's signed-rank test; [0, ∞] below 6 pairs
    double pValue = 1;           ///< one-sided Mann–Whitney of all a against all b: b is not greater
    double superiority = 0.5;    ///< probability that a run of b takes longer than one of a
    std::size_t neededPairs = 0; ///< about so many would tell a growth of `kTellableGrowth` from none, with 95 % power
};

/// The growth beyond a limit that a run of the gate must be able to exclude, or it cannot tell: 3 %.
inline constexpr double kTellableGrowth = 0.03;

/// Compares pairs (a[i], b[i]) run one after the other in turned order (ABBA), which cancels drift. Values above 0. The test by ranks of
/// all values (robust to spikes) says whether there is a difference, the pairs (robust to drift) how large it is.
/// neededPairs: ((z₀.₉₇₅ + z₀.₉₅) · s / ln 1.03)², s = half the width of the interval × √pairs / 1.96.
PairedTest pairedTest(std::span<const double> a, std::span<const double> b);

} // namespace model
