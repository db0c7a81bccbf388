// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/scheduler_times.h"

#include <cstdint>
#include <optional>
#include <string>

namespace app {

/// How long a run took.
struct RunTimes
{
    std::int64_t wallNs = 0;
    /// Without what it waited for a processor while others had it: max(wall − w − g, c), where w is how long its first thread was ready and did
    /// not run, g how long we were that after its end (since the begin, where it had ended before there was time to wait for that), and c its CPU
    /// time. Where the first thread did 99 % of the work of the process and the children that it waited for: of others it is not known what their
    /// waits held up.
    std::optional<std::int64_t> ownNs;
    std::string absent; ///< why ownNs is not known, as a sentence
};

/// Measures one run of a launched process. One thread, in this order: made while the process waits before its exec, aboutToWait() when there is
/// nothing to do but to wait for its end, ended() at once when it has, before it is reaped.
class RunClock
{
public:
    explicit RunClock(std::int32_t pid);
    void aboutToWait();
    void ended();
    /// `cpuNs`: user and system time of the process and its reaped children.
    RunTimes times(std::int64_t cpuNs) const;

private:
    std::int32_t m_pid = 0;
    std::optional<capture::SchedulerTimes> m_begin;
    std::optional<capture::SchedulerTimes> m_end;
    std::optional<capture::SchedulerTimes> m_oursAtBegin;
    std::optional<capture::SchedulerTimes> m_ours; ///< before the wait for its end
    std::int64_t m_ourWaitNs = 0;
    std::int64_t m_beginNs = 0;
    std::int64_t m_endNs = 0;
};

/// The times of a run, from what was measured of it; see RunTimes. Pure.
RunTimes runTimes(std::int64_t wallNs, std::int64_t ourWaitNs, std::int64_t cpuNs,
    const std::optional<capture::SchedulerTimes> &begin, const std::optional<capture::SchedulerTimes> &end);

} // namespace app
