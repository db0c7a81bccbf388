// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/time_test.h"

#include "model/gate/rank_tests.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace model {

PairedTest pairedTest(std::span<const double> a, std::span<const double> b)
{
    constexpr double kZ975 = 1.959963984540054;
    constexpr double kZ95 = 1.6448536269514722;
    PairedTest test;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        ratios.push_back(std::log(b[i] / a[i]));
    const Location location = hodgesLehmann(ratios);
    test.ratio = std::exp(location.estimate);
    test.ratio95 = {std::exp(location.interval95.low), std::exp(location.interval95.high)};
    const RankTest ranks = mannWhitney(a, b);
    test.pValue = ranks.pValue;
    test.superiority = ranks.superiority;
    const double half = (location.interval95.high - location.interval95.low) / 2;
    if (std::isfinite(half)) {
        const double spread = half * std::sqrt(static_cast<double>(ratios.size())) / kZ975;
        const double root = (kZ975 + kZ95) * spread / std::log1p(kTellableGrowth);
        test.neededPairs = std::max<std::size_t>(ratios.size(), static_cast<std::size_t>(std::ceil(root * root)));
    }
    return test;
}

} // namespace model
