// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/rate_test.h"

#include "model/analysis/share_interval.h"

#include <boost/math/distributions/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace model {

namespace {

constexpr std::int64_t kMostExact = 1000;

double pValueOf(std::int64_t b, std::int64_t all, double share)
{
    if (all > kMostExact) {
        const double mean = static_cast<double>(all) * share;
        const double distance = std::max(0.0, std::abs(static_cast<double>(b) - mean) - 0.5);
        return std::erfc(distance / std::sqrt(2 * mean * (1 - share)));
    }
    const boost::math::binomial_distribution<double> binomial(static_cast<double>(all), share);
    const double atMost = boost::math::cdf(binomial, static_cast<double>(b));
    const double atLeast = b == 0 ? 1 : boost::math::cdf(boost::math::complement(binomial, static_cast<double>(b - 1)));
    return std::min(1.0, 2 * std::min(atMost, atLeast));
}

double ratioOf(double share, double exposureA, double exposureB)
{
    return share >= 1 ? std::numeric_limits<double>::infinity() : share / (1 - share) * exposureA / exposureB;
}

} // namespace

RateTest rateTest(std::int64_t a, double exposureA, std::int64_t b, double exposureB)
{
    RateTest test{1, {0, std::numeric_limits<double>::infinity()}};
    const std::int64_t all = a + b;
    if (a < 0 || b < 0 || all <= 0 || !(exposureA > 0) || !(exposureB > 0))
        return test;
    test.pValue = pValueOf(b, all, exposureB / (exposureA + exposureB));
    const Interval share = wilsonInterval(b, all);
    test.ratio95 = {ratioOf(share.low, exposureA, exposureB), ratioOf(share.high, exposureA, exposureB)};
    return test;
}

} // namespace model
