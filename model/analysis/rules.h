// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/analysis/recommendations.h"

#include <memory>
#include <stop_token>

namespace model {

// The rules behind recommendations(). Each one appends what it finds to `found`, without score, and what it lacked to
// `found.notLookedAt`; returns false when `stop` was requested.

/// What all rules look at.
struct RuleInput
{
    const Snapshot &snapshot;
    FunctionIndex &functions;
    std::stop_token stop;
};

bool findGrowingStacks(const RuleInput &input, Recommendations &found);
bool findTemporaryAllocations(const RuleInput &input, Recommendations &found);
bool findHotFunctions(const RuleInput &input, Recommendations &found);
bool findLibraryTime(const RuleInput &input, Recommendations &found);   ///< allocator and copies
bool findMemoryNotUsed(const RuleInput &input, Recommendations &found); ///< retained memory and page faults

/// The plausible speed-up of what a rule advises, as the factor by which the place gets faster.
struct SpeedUp
{
    double least = 1;
    double most = 1;
};

/// Gain by Amdahl's law for a part of [share.low, share.high] of the time: the low end with the least speed-up, the high with the most.
Interval amdahl(const Interval &share, SpeedUp speedUp);

} // namespace model
