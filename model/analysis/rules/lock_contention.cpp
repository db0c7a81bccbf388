// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"*pthread_mutex_lock*", "*pthread_mutex_unlock*",
    "__lll_lock_wait*", "__lll_lock_wake*", "lll_mutex_lock_optimized", "*pthread_rwlock_*", "__GI___lll_lock_wait*",
    "__GI___lll_lock_wake*", "std::mutex::lock", "std::mutex::unlock"})};
constexpr std::array kMarkers{std::to_array<std::string_view>({"__lll_lock_wait*", "__lll_lock_wake*",
    "__GI___lll_lock_wait*", "__GI___lll_lock_wake*", "futex_wait*", "futex_wake*"})};

} // namespace

const WorkRule kLockContentionRule{
    .data = {.key = "lock_contention",
        .label = "Threads that wait for one lock",
        .title = "{place} spends {share} of the CPU time taking and handing over a lock that others hold",
        .speedUp = {1.3, 50},
        .confidence = 0.8,
        .effort = 4,
        .advice = "Hold the lock for less time, let each thread gather on its own and join the results, or "
                  "split the data so that each part has its own lock.",
        .check = "Record again: its share, and the voluntary switches a second, should fall.",
        .caution = "Time in which threads only wait costs no CPU and is not in this share: the gain in "
                   "elapsed time can be larger."},
    .functions = kFunctions,
    .markers = kMarkers,
    .leastMarkerShare = 0.01,
    .leastShare = 0.05,
    .leastThreads = 2,
};

} // namespace model
