// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/random.h"

#include <cstdint>

namespace tests {

/// Poisson with this mean: by multiplication below 30, else the rounded normal.
std::int64_t poisson(model::Random &random, double mean);

/// Binomial: n trials of probability p; by single trials or inversion where n·p is small, else the rounded normal.
std::int64_t binomial(model::Random &random, std::int64_t n, double p);

/// 10 to the power of a uniform number.
double powerOfTen(model::Random &random, double low, double high);

} // namespace tests
