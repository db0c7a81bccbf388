// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/proc_clock.h"
#include "capture/proc/proc_reader.h"
#include "model/process_list.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

/// Lists the processes of this machine, again and again. Not for the recorded processes: it opens every file anew. One owning
/// thread; a refresh takes about 50 µs a process.
class ProcessList
{
public:
    explicit ProcessList(std::string procRoot = "/proc", ProcClock clock = ProcClock::system());

    /// All processes but kernel threads, zombies and our own, ascending by pid. Those that end while they are read are left out.
    std::vector<model::RunningProcess> refresh();

private:
    struct CpuUse
    {
        std::int64_t startTicks = 0; ///< of the process: another one with its pid has another
        std::int64_t cpuTicks = 0;
        std::int64_t atNs = 0;
    };

    bool readOne(std::int32_t pid, model::RunningProcess &process);
    std::int64_t cpuMilliPercent(std::int32_t pid, const ProcStat &stat);
    const std::string &userName(std::uint32_t userId);

    std::string m_procRoot;
    ProcClock m_clock;
    std::unordered_map<std::int32_t, CpuUse> m_lastUse;
    std::unordered_map<std::int32_t, CpuUse> m_thisUse;
    std::unordered_map<std::uint32_t, std::string>
        m_users; ///< names may come over the network, so each is asked for once
};

} // namespace capture
