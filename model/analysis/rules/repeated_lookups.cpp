// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kCalls{std::to_array<std::string_view>({"stat", "lstat", "newfstatat", "statx", "access",
    "faccessat", "faccessat2", "open", "openat", "readlink", "readlinkat"})};

} // namespace

const ActivityRule kRepeatedLookupsRule{
    .data = {.key = "repeated_lookups",
        .label = "Files looked up again and again",
        .title = "{place} spends {share} of its threads' time looking up files",
        .speedUp = {1.5, 100},
        .confidence = 0.6,
        .effort = 2,
        .advice
        = "Look each file up once: keep it open, keep what was found (or that nothing was), and watch for changes with "
          "inotify instead of asking.",
        .check = "Record again with --syscalls: fewer calls of stat, access and open at this place.",
        .caution = "A program that visits many different files has to look up each of them once."},
    .calls = kCalls,
    .leastCalls = 500,
    .leastRate = 500,
    .leastShare = 0.02,
};

} // namespace model
