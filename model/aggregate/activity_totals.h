// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <string>
#include <vector>

namespace model {

/// What all threads of a selection did of one activity.
struct ActivityTotal
{
    Activity activity;
    std::int64_t count = 0;
    std::int64_t timeNs = 0;
    std::int64_t errors = 0;
    std::int64_t bytes = 0;
    std::int64_t ownStacks = 0;
    std::int64_t estimated = 0;

    ActivityTotal &operator+=(const ActivityCost &row);
};

/// The system calls of a snapshot by call, most frequent first; or its waits by class, longest first. `source` says which of both.
std::vector<ActivityTotal> activityTotals(const Snapshot &snapshot, CostSource source);

/// Whether system calls or waits were recorded: asked for, and not refused. Where something was refused and the selection has none of them, they
/// were not.
bool isRecorded(const Snapshot &snapshot, CostSource source);
/// Why they were not, as sentences; empty where they were.
std::string whyNotRecorded(const Snapshot &snapshot, CostSource source);

/// The sum of a cost of system calls or waits over all of the selection.
std::int64_t activityTotal(const Snapshot &snapshot, CostKind kind);

/// How many of the system calls or waits of a snapshot were copied with their own stack.
struct OwnStacks
{
    std::int64_t copied = 0;
    std::int64_t all = 0;
};
OwnStacks ownStacks(const Snapshot &snapshot, CostSource source);

} // namespace model
