// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"clock_gettime", "__clock_gettime*",
    "__vdso_clock_gettime", "__vdso_gettimeofday", "gettimeofday", "std::chrono::_V2::*_clock::now", "*[vdso]*"})};

} // namespace

const WorkRule kClockReadsRule{
    .data = {.key = "clock_reads",
        .label = "The clock read again and again",
        .title = "{place} spends {share} of the CPU time reading the clock",
        .speedUp = {2, 100},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Read the clock once per batch of steps, or CLOCK_MONOTONIC_COARSE where milliseconds are"
                  " enough.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
    .on = WorkOn::Library,
};

} // namespace model
