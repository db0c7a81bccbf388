// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

namespace model {

const ActivityRule kLockWaitsRule{
    .data = {.key = "lock_waits",
        .label = "Waiting for a lock",
        .title = "{place} waits {share} of its threads' time for a lock",
        .speedUp = {1.3, 20},
        .confidence = 0.7,
        .effort = 4,
        .advice = "Hold the lock for less: work outside of it and only publish the result under it, give each thread "
                  "its own part, "
                  "or split what it guards.",
        .check = "Record again with --waits: less time in waits for locks at this place.",
        .caution = "Several processes or threads on one processor wait for each other whatever they do."},
    .waitClass = WaitClass::Lock,
    .leastCalls = 20,
    .leastShare = 0.05,
};

} // namespace model
