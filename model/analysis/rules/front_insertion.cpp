// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::vector<*>::_M_erase*", "std::vector<*>::erase*",
    "std::vector<*>::insert*", "std::vector<*>::_M_insert_rval*", "std::vector<*>::_M_insert_aux*",
    "std::vector<*>::_M_fill_insert*", "std::vector<*>::emplace<*"})};

} // namespace

const WorkRule kFrontInsertionRule{
    .data = {.key = "front_insertion",
        .label = "Vectors used as queues",
        .title = "{place} spends {share} of the CPU time moving the elements of a vector to make or close "
                 "a gap",
        .speedUp = {2, 100},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Take from the front with std::deque or an index; remove many at once with std::erase_if;"
                  " or swap with the last where order does not matter.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
};

} // namespace model
