// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"sched_yield", "__sched_yield", "__GI_sched_yield", "pthread_yield", "std::this_thread::yield"})};

} // namespace

const WorkRule kBusyWaitingRule{
    .data = {.key = "busy_waiting",
        .label = "Waiting without sleeping",
        .title = "{place} spends {share} of the CPU time giving way to others in a loop",
        .speedUp = {3, 1000},
        .confidence = 0.9,
        .effort = 2,
        .advice = "Wait on a condition variable, a semaphore or std::atomic::wait, so that the thread "
                  "sleeps until there is something to do.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
