// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"__dynamic_cast", "*::__do_dyncast", "*::__do_find_public_src", "*::__do_upcast"})};

} // namespace

const WorkRule kDynamicCastsRule{
    .data = {.key = "dynamic_casts",
        .label = "Dynamic casts",
        .title = "{place} spends {share} of the CPU time in dynamic_cast",
        .speedUp = {1.5, 20},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Ask through a virtual function, a kind stored in the object, or std::variant.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
    .on = WorkOn::Library,
};

} // namespace model
