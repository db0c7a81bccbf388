// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{
    std::to_array<std::string_view>({"memcpy", "memmove", "mempcpy", "__memcpy_*", "__memmove_*", "__mempcpy_*",
        "__memcpy", "__memmove", "__GI_memcpy*", "__GI_memmove*", "strcpy", "strncpy", "__strcpy_*", "__strncpy_*"})};

} // namespace

const WorkRule kCopyTimeRule{
    .data = {.key = "copy_time",
        .label = "Time in copies",
        .title = "{place} spends {share} of the CPU time copying memory",
        .speedUp = {1.3, 50},
        .confidence = 0.7,
        .effort = 2,
        .advice = "Swap or move buffers instead of copying them, pass views, or write to where the data is "
                  "needed in the end.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
    .depth = WorkDepth::Symptom,
};

} // namespace model
