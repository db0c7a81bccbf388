// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/random.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace tests {

/// `count` factors by which runs one after the other take longer, around 1.
using RunNoise = std::function<std::vector<double>(std::size_t count, model::Random &random)>;

/// A shared machine: correlated drift (3 %, over 8 runs), 1 % white noise, a spike of 15 % in a tenth of the runs, and two modes 2 % apart.
std::vector<double> sharedMachineNoise(std::size_t count, model::Random &random);

/// How the gate decided, as shares of the trials.
struct GateRates
{
    double worse = 0;
    double unclear = 0;
    double early = 0; ///< after half of the pairs
};

/// Trials of the gate's decision on wall and CPU time: 20 pairs at most in the order ABBA, the current version `growth` slower. Both times have the
/// same noise but for 0.2 %.
GateRates gateRates(const RunNoise &noise, double growth, int trials, model::Random &random);

} // namespace tests
