// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"__vsnprintf_internal", "__vfprintf_internal",
    "__vsprintf_internal", "snprintf", "__snprintf", "sprintf", "fprintf", "printf", "vsnprintf", "vfprintf",
    "std::num_put<*>::*", "std::ostream::_M_insert<*>", "std::ostream::operator<<"})};

} // namespace

const WorkRule kFormattingRule{
    .data = {.key = "formatting",
        .label = "Formatted output",
        .title = "{place} spends {share} of the CPU time formatting text",
        .speedUp = {1.5, 6},
        .confidence = 0.7,
        .effort = 2,
        .advice = "Format less often, or with std::to_chars or the fmt library, which read no format string at run "
                  "time and know no locale.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "Where text is what the program makes, only a part of this can be saved."},
    .functions = kFunctions,
    .leastShare = 0.2,
};

} // namespace model
