// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/random_counts.h"

#include <algorithm>
#include <cmath>

namespace tests {

std::int64_t poisson(model::Random &random, double mean)
{
    if (mean <= 0)
        return 0;
    if (mean > 30)
        return std::max<std::int64_t>(std::llround(mean + std::sqrt(mean) * random.normal()), 0);
    const double least = std::exp(-mean);
    std::int64_t count = 0;
    for (double product = random.uniform(); product > least; product *= random.uniform())
        ++count;
    return count;
}

std::int64_t binomial(model::Random &random, std::int64_t n, double p)
{
    if (n <= 0 || p <= 0)
        return 0;
    if (p >= 1)
        return n;
    if (p > 0.5)
        return n - binomial(random, n, 1 - p);
    const double mean = static_cast<double>(n) * p;
    if (mean > 30)
        return std::clamp<std::int64_t>(std::llround(mean + std::sqrt(mean * (1 - p)) * random.normal()), 0, n);
    // Inversion: the probabilities of 0, 1, 2 … one after the other.
    double left = random.uniform(), probability = std::pow(1 - p, static_cast<double>(n));
    std::int64_t count = 0;
    while (left > probability && count < n) {
        left -= probability;
        probability *= static_cast<double>(n - count) / static_cast<double>(count + 1) * p / (1 - p);
        ++count;
    }
    return count;
}

double powerOfTen(model::Random &random, double low, double high) { return std::pow(10, random.uniform(low, high)); }

} // namespace tests
