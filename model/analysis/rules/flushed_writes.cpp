// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"fflush", "_IO_fflush", "fflush_unlocked",
    "std::ostream::flush", "std::basic_ostream<*>::flush", "std::endl<*>", "std::basic_filebuf<*>::sync"})};

} // namespace

const WorkRule kFlushedWritesRule{
    .data = {.key = "flushed_writes",
        .label = "Output flushed piece by piece",
        .title = "{place} spends {share} of the CPU time flushing small pieces of output",
        .speedUp = {2, 50},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Write '\\n' instead of std::endl, flush once at the end or at intervals, and give the "
                  "file a larger buffer.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "A log that must survive a crash of the machine is flushed on purpose."},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
