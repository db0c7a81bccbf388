// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kCalls{
    std::to_array<std::string_view>({"fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync"})};

} // namespace

const ActivityRule kSyncedWritesRule{
    .data = {.key = "synced_writes",
        .label = "Waiting for the disk piece by piece",
        .title = "{place} spends {share} of its threads' time waiting until data is on the disk",
        .speedUp = {1.5, 50},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Gather several changes before one fsync or one transaction, or let a thread of its own do it.",
        .check = "Record again with --syscalls: fewer calls of fsync, and less time in them.",
        .caution = "What must survive a power cut has to be flushed; how often is the question."},
    .calls = kCalls,
    .leastCalls = 10,
    .leastShare = 0.05,
};

} // namespace model
