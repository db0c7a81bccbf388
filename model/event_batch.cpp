// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/event_batch.h"

#include <array>

namespace model {

namespace {

struct LossName
{
    std::string_view key;
    std::string_view label;
};

constexpr std::array<LossName, kLossKindCount> kLossNames{{
    {"events_dropped", "Heap events dropped"},
    {"samples_lost", "CPU samples lost"},
    {"samples_throttled", "CPU sampling throttled by the kernel"},
    {"stacks_truncated", "Stacks cut off"},
    {"stacks_no_unwind_info", "Stacks through code without unwind information"},
    {"stacks_bad_rule", "Stacks with bad unwind information"},
    {"stacks_unreadable", "Stacks not readable"},
    {"stack_table_full", "Stacks shortened because the stack table is full"},
    {"unknown_frees", "Frees of blocks from before tracing"},
    {"metrics_unreadable", "Metrics that could not be read"},
    {"heap_not_traced", "Programs whose heap could not be traced"},
    {"bad_records", "Records that could not be understood"},
    {"ticks_delayed", "Ticks the recorder was late for"},
    {"processes_missed", "Processes that ended before they could be looked at"},
    {"samples_missed", "CPU samples due but not taken"},
    {"calls_estimated", "System calls counted, but too many to be recorded one by one"},
    {"activity_lost", "Records of system calls and waits lost"},
}};

} // namespace

std::string_view lossKey(LossKind kind) { return kLossNames.at(static_cast<std::size_t>(kind)).key; }

std::string_view lossLabel(LossKind kind) { return kLossNames.at(static_cast<std::size_t>(kind)).label; }

} // namespace model
