// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/robust_trend.h"

#include <cstdint>

namespace model {

/// How sure a difference of two event rates is.
struct RateTest
{
    double pValue = 1;      ///< two-sided, of equal rates
    Interval ratio95{0, 0}; ///< of the second rate to the first; `high` is infinite where the first may be 0
};

/// Compares `a` events over an exposure of `exposureA` with `b` over `exposureB` (any unit, both above 0), both counts Poisson. Given
/// their sum, b is binomial with share r·eB / (r·eB + eA) for a ratio r (Przyborowski and Wilenski 1940): the p-value is the binomial's
/// (doubled smaller tail; normal approximation with continuity correction from 1,000 events on), the interval comes from Wilson's of the share.
RateTest rateTest(std::int64_t a, double exposureA, std::int64_t b, double exposureB);

} // namespace model
