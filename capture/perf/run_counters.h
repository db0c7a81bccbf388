// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_event.h"

#include <cstdint>
#include <optional>
#include <string>

namespace capture {

/// A count over a whole run, or why there is none.
struct RunCount
{
    std::optional<std::int64_t> value;
    std::string absent; ///< as a sentence; empty where there is a value
};

/// Counts what a launched process and all its children do from its exec on: instructions in user mode (where the host has a hardware
/// counter; most virtual machines do not), and system calls (where the raw_syscalls tracepoint may be opened). Nothing is sampled.
/// Open it on a child that waits before its exec; read it when that has been reaped. One thread.
class RunCounters
{
public:
    explicit RunCounters(std::int32_t pid);

    RunCount instructions() const { return m_instructions.read(); }
    RunCount systemCalls() const { return m_systemCalls.read(); }

private:
    struct Counter
    {
        PerfDescriptor descriptor;
        std::string absent;
        RunCount read() const;
    };
    static Counter openCounter(std::int32_t pid, std::uint32_t type, std::uint64_t config, const char *what);

    Counter m_instructions;
    Counter m_systemCalls;
};

} // namespace capture
