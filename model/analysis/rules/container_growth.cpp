// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::vector<*>::_M_realloc_insert*",
    "std::vector<*>::_M_realloc_append*", "std::vector<*>::_M_default_append*"})};

} // namespace

const WorkRule kContainerGrowthRule{
    .data = {.key = "container_growth",
        .label = "Containers that grow step by step",
        .title = "{place} spends {share} of the CPU time growing vectors",
        .speedUp = {1.3, 10},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Call reserve() with the size that is expected, or keep the vector and clear() it instead"
                  " of making a new one.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
