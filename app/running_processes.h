// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/process_table.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

/// The processes of a recording that run now, in no order.
std::vector<std::int32_t> runningPids(const model::ProcessTable &processes);

/// "process 12 (sleep)", "processes 12 (sh), 13 (cat)", "processes 12 (sh), 13 (cat), 14, 15, 16 and 40 more". `pids` not empty.
std::string processListText(
    const std::vector<std::int32_t> &pids, const model::ProcessTable &processes, const model::ProgramTables &tables);

/// Ends what the command of a recording started. One owning thread.
class ProcessEnder
{
public:
    /// Asks these to end (SIGTERM). `beginNs`: CLOCK_MONOTONIC at the recording's Timestamp 0.
    void ask(const std::vector<std::int32_t> &pids, const model::ProcessTable &processes,
        const model::ProgramTables &tables, std::int64_t beginNs);

    /// Waits for them, and kills what still runs after `patience`. Those, ascending as they were asked.
    std::vector<std::int32_t> finish(model::Duration patience);

    /// Whether ask() was called, be it for none.
    bool hasAsked() const { return m_hasAsked; }

private:
    struct Asked
    {
        std::int32_t pid = 0;
        std::int64_t beganByNs = 0;
    };
    std::vector<Asked> m_asked;
    bool m_hasAsked = false;
};

} // namespace app
