// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::_Rb_tree<*>::*", "std::_Rb_tree_increment*",
    "std::_Rb_tree_decrement*", "std::_Rb_tree_insert_and_rebalance*", "std::_Rb_tree_rebalance_for_erase*"})};

} // namespace

const WorkRule kTreeContainerRule{
    .data = {.key = "tree_container",
        .label = "Trees where order may not matter",
        .title = "{place} spends {share} of the CPU time finding its way in std::map or std::set",
        .speedUp = {1.3, 30},
        .confidence = 0.6,
        .effort = 4,
        .advice = "If the order is not needed, use std::unordered_map; if the content seldom changes, a "
                  "sorted std::vector.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "A tree is right where elements are walked in order while others are added."},
    .functions = kFunctions,
    .leastShare = 0.15,
};

} // namespace model
