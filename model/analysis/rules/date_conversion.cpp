// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>(
    {"localtime", "localtime_r", "__localtime64_r", "gmtime*", "__tz_convert", "__offtime", "__tzfile_compute",
        "mktime", "__mktime_internal", "timelocal", "strftime", "strftime_l", "__strftime_internal*"})};

} // namespace

const WorkRule kDateConversionRule{
    .data = {.key = "date_conversion",
        .label = "Dates worked out again",
        .title = "{place} spends {share} of the CPU time turning times into dates",
        .speedUp = {2, 50},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Keep the text of the current second or minute and work it out anew only when that "
                  "changes.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
