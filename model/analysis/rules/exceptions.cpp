// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"_Unwind_RaiseException", "_Unwind_Resume", "__cxa_throw", "__cxa_rethrow", "__cxa_allocate_exception",
        "__cxa_begin_catch", "__cxa_end_catch", "__gxx_personality_v0", "_Unwind_Find_FDE"})};

} // namespace

const WorkRule kExceptionsRule{
    .data = {.key = "exceptions",
        .label = "Exceptions as control flow",
        .title = "{place} spends {share} of the CPU time throwing and catching exceptions",
        .speedUp = {3, 100},
        .confidence = 0.9,
        .effort = 2,
        .advice = "Return what is expected to happen as a value (std::optional, an error code), and throw "
                  "only what is exceptional.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
