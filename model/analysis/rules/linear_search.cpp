// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"std::find<*>", "std::__find_if<*>", "std::find_if<*>", "std::count<*>", "std::count_if<*>"})};

} // namespace

const WorkRule kLinearSearchRule{
    .data = {.key = "linear_search",
        .label = "Searches from one end to the other",
        .title = "{place} spends {share} of the CPU time searching one element after another",
        .speedUp = {2, 100},
        .confidence = 0.6,
        .effort = 4,
        .advice = "Look up in a hash table, or by binary search in a sorted vector.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "Among a few elements a search one by one is the fastest way."},
    .functions = kFunctions,
    .leastShare = 0.2,
};

} // namespace model
