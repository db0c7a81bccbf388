// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/rules/rule_data.h"

#include <memory>
#include <stop_token>
#include <string_view>

namespace model {

// The rules behind recommendations(). Each one appends what it finds to `found`, without score, and what it lacked to
// `found.notLookedAt`; returns false when `stop` was requested. What rules say, and from when on, stands in rules/.

/// What all rules look at.
struct RuleInput
{
    const Snapshot &snapshot;
    FunctionIndex &functions;
    std::stop_token stop;
};

/// Names the evidence of a growing stack that says by how many bytes it grew.
inline constexpr std::string_view kKeptInTime = "kept in that time";
/// That of a place that says how much a scan found lost.
inline constexpr std::string_view kLostByScan = "lost";

/// What a gain of bytes is a share of: the resident memory at the end, or the live heap where that is more; at least 1.
double memoryHeld(const Snapshot &snapshot);

bool findGrowingStacks(const RuleInput &input, Recommendations &found);
bool findTemporaryAllocations(const RuleInput &input, Recommendations &found); ///< after findWork()
bool findWork(const RuleInput &input, Recommendations &found);          ///< rules that know functions on CPU stacks
bool findMemoryNotUsed(const RuleInput &input, Recommendations &found); ///< retained memory and page faults
bool findActivity(const RuleInput &input, Recommendations &found);      ///< rules that know system calls and waits
bool findProcessChurn(const RuleInput &input, Recommendations &found);

/// An item with the words of a rule; `what` stands for {share} and {what} in its title.
Recommendation itemOf(const RuleData &rule, const std::string &place, const std::string &what);
/// The name of the program that ran last.
std::string processName(const Snapshot &snapshot);
/// "61 % (57.9–64.0)".
std::string shareText(double share, const Interval &interval);

/// Tells the share of the CPU time of a place with what it calls of libraries: what a gain can be of that is more than the work that was recognised.
void addWholeOfPlace(const Interval &share, Recommendation &item);

/// Gain by Amdahl's law for a part of [share.low, share.high] of the time: the low end with the least speed-up, the high with the most.
Interval amdahl(const Interval &share, SpeedUp speedUp);

} // namespace model
