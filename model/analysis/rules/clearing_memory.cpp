// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"memset", "__memset_*", "bzero", "__bzero"})};

} // namespace

const WorkRule kClearingMemoryRule{
    .data = {.key = "clearing_memory",
        .label = "Large areas cleared",
        .title = "{place} spends {share} of the CPU time clearing memory",
        .speedUp = {1.5, 50},
        .confidence = 0.7,
        .effort = 2,
        .advice = "Clear only what was used, or mark as unused instead of overwriting.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
    .on = WorkOn::CalledByOwn,
};

} // namespace model
