// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"realloc", "reallocarray", "__libc_realloc", "__GI___libc_realloc", "_int_realloc", "mremap", "__mremap"})};

} // namespace

const WorkRule kReallocGrowthRule{
    .data = {.key = "realloc_growth",
        .label = "Buffers that grow by a little",
        .title = "{place} spends {share} of the CPU time growing buffers with realloc",
        .speedUp = {1.5, 50},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Grow by a factor (1.5 or 2) instead of a constant, or allocate the size that is needed "
                  "at once.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
