// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/random.h"
#include "model/gate/baseline.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace tests {

/// By what the times of one run differ from those of a quiet one, around 1.
struct RunFactors
{
    double cpu = 1;
    double own = 1;
    double wall = 1;
};

/// `count` runs one after the other.
using RunNoise = std::function<std::vector<RunFactors>(std::size_t count, model::Random &random)>;

/// A shared machine: correlated drift (3 %, over 8 runs), 1 % white noise, a spike of 15 % in a tenth of the runs, and two modes 2 % apart; the same for
/// each time.
std::vector<RunFactors> sharedMachineNoise(std::size_t count, model::Random &random);

/// Windows of runs as they were recorded one after the other (genprof baseline save), each from a moment that chance chooses.
RunNoise recordedNoise(const model::Baseline &recorded);

/// Whether the own time of the runs is known.
enum class OwnTimes : std::uint8_t { Known, Unknown };

/// How the gate decided, as shares of the trials.
struct GateRates
{
    double worse = 0;
    double unclear = 0;
    double early = 0; ///< after half of the pairs
};

/// Trials of the gate's decision on CPU time, own time and wall time: 20 pairs at most in the order ABBA, the current version `growth` slower. Each time of
/// the base differs by 0.2 % more.
GateRates gateRates(const RunNoise &noise, OwnTimes ownTimes, double growth, int trials, model::Random &random);

} // namespace tests
