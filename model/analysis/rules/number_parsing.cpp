// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::istream::operator>>",
    "std::istream::_M_extract<*>", "std::num_get<*>::*", "std::basic_istream<*>::operator>>", "__isoc99_sscanf",
    "__isoc99_fscanf", "sscanf", "fscanf", "__vfscanf_internal", "__vsscanf_internal"})};

} // namespace

const WorkRule kNumberParsingRule{
    .data = {.key = "number_parsing",
        .label = "Numbers read through streams",
        .title = "{place} spends {share} of the CPU time reading numbers through streams or scanf",
        .speedUp = {1.5, 15},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Use std::from_chars on the characters themselves: no locale, no virtual calls, no "
                  "copies.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
};

} // namespace model
