// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace model {

/// Where the level of a series changes.
struct ChangePoint
{
    std::size_t position = 0; ///< of the first value of the new level
    double before = 0;        ///< mean of the values since the change before, or the begin
    double after = 0;         ///< mean up to the next change, or the end
    double pValue = 1;
};

/// Changes of the level of a series, ascending. The position with the greatest divergence q = (nm / (n + m)) · (2 E|X−Y| − E|X−X'| − E|Y−Y'|) of
/// the values before and behind it (E-divisive: Matteson and James 2014) is a change when Welch's t-test between both parts has p ≤ `significance`
/// (as Otava does instead of permutations), and the parts are searched again. A part has 3 values at least. Constant parts that differ are a
/// change. For some hundreds of values, O(n³).
std::vector<ChangePoint> changePoints(std::span<const double> values, double significance = 1e-3);

} // namespace model
