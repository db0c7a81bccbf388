// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::operator+<*>", "std::__cxx11::operator+<*>"})};

} // namespace

const WorkRule kStringConcatenationRule{
    .data = {.key = "string_concatenation",
        .label = "Strings built by copying them",
        .title = "{place} spends {share} of the CPU time making a new string of two each time",
        .speedUp = {1.5, 100},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Append with += or append(), after reserve(): a = a + b copies everything that is there "
                  "already.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
};

} // namespace model
