// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"strlen", "__strlen_*", "wcslen", "__wcslen_*"})};

} // namespace

const WorkRule kStringLengthRule{
    .data = {.key = "string_length",
        .label = "Lengths counted again",
        .title = "{place} spends {share} of the CPU time counting the length of strings",
        .speedUp = {2, 100},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Count once before the loop, or keep the length with the text (std::string_view).",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
    .on = WorkOn::CalledByOwn,
};

} // namespace model
