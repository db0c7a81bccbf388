// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

namespace model {

const ActivityRule kSleepingWorkRule{
    .data = {.key = "sleeping_work",
        .label = "Sleeping in the way of work",
        .title = "{place} sleeps {share} of the time of a thread that does the work",
        .speedUp = {2, 100},
        .confidence = 0.6,
        .effort = 2,
        .advice = "Wait for what the sleep is meant to wait for: a condition variable, poll on a descriptor, eventfd "
                  "or timerfd, so "
                  "that the thread goes on when it can.",
        .check = "Record again with --waits: less time asleep at this place, and the same work in less time.",
        .caution = "A program that is meant to work at a pace sleeps on purpose."},
    .waitClass = WaitClass::Sleep,
    .leastCalls = 20,
    .leastShare = 0.1,
    .onBusyThreads = true,
};

} // namespace model
