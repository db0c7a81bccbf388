// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/gate/baseline.h"
#include "model/gate/change_points.h"

#include <string>
#include <vector>

namespace model {

/// How a quantity went over the history of a baseline.
struct Drift
{
    GateKey key = GateKey::Allocations;
    std::vector<double> values;       ///< in the order of the history
    std::vector<std::size_t> entries; ///< positions in the history of these values
    std::vector<ChangePoint> changes; ///< positions within `values`
    double growth = 0;                ///< last level to first, as a share: 0.1 is 10 % more
};

/// The quantities that grew by at least `least` from the first level to the last by changes upwards: what every step alone may have passed the gate with.
/// Times of the machine class of the last entry only; entries of the branch of the last one only. At most the last 200. Pure.
std::vector<Drift> findDrift(const History &history, double least = 0.01);

/// "Allocations grew by 9.8 % over 18 saves: +5 % at 1a2b3c4, +4.6 % at 5d6e7f8".
std::string driftText(const Drift &drift, const History &history);

} // namespace model
