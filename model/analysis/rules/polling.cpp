// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{
    std::to_array<std::string_view>({"usleep", "nanosleep", "__nanosleep", "clock_nanosleep*", "__clock_nanosleep*",
        "__GI___clock_nanosleep*", "std::this_thread::sleep_for<*>", "std::this_thread::sleep_until<*>"})};

} // namespace

const WorkRule kPollingRule{
    .data = {.key = "polling",
        .label = "Looking again and again",
        .title = "{place} spends {share} of the CPU time going to sleep and waking up to look",
        .speedUp = {3, 1000},
        .confidence = 0.9,
        .effort = 2,
        .advice = "Wait on a condition variable or a descriptor (eventfd, epoll), so that the thread wakes "
                  "only when there is something to do.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
};

} // namespace model
