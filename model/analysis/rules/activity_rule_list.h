// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/activity.h"
#include "model/analysis/rules/rule_data.h"

#include <optional>
#include <span>
#include <string_view>

namespace model {

/// A rule that knows a kind of system call or wait: it speaks of a function of the program's own that makes enough of them.
struct ActivityRule
{
    RuleData data;
    std::span<const std::string_view> calls; ///< by name; empty: it is about waits
    std::optional<WaitClass> waitClass;      ///< that it is about, where it is
    std::int64_t leastCalls = 0;             ///< or waits, at the place
    double leastRate = 0;                    ///< of them a second
    double mostBytesPerCall = 0;             ///< that they move on average; 0: not asked
    double leastShare = 0.05;                ///< of the time of the threads that do it there
    bool isSilentOfEvents = false;           ///< about threads that also wait for events: they converse, piece by piece
    bool onBusyThreads
        = false; ///< of threads that do the program's work only: the first, or one with a fifth of the CPU time
};

/// All of them.
std::span<const ActivityRule *const> activityRules();

// Each is defined in the file of its name.
extern const ActivityRule kSmallTransfersRule;
extern const ActivityRule kRepeatedLookupsRule;
extern const ActivityRule kSyncedWritesRule;
extern const ActivityRule kLockWaitsRule;
extern const ActivityRule kSleepingWorkRule;

} // namespace model
