// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/run_clock.h"

#include "capture/proc/proc_reader.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

namespace app {

namespace {

std::int64_t nowNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Until it sleeps before its exec: what it waits until then is no part of the run. A fifth of a second at most.
void waitUntilAsleep(std::int32_t pid)
{
    constexpr int kMost = 200;
    constexpr timespec kMillisecond{0, 1'000'000};
    for (int i = 0; i < kMost && capture::processState(pid) == 'R'; ++i)
        ::nanosleep(&kMillisecond, nullptr);
}

} // namespace

RunClock::RunClock(std::int32_t pid)
    : m_pid(pid)
{
    waitUntilAsleep(pid);
    m_begin = capture::schedulerTimesOf(pid);
    m_oursAtBegin = capture::ownSchedulerTimes();
    m_beginNs = nowNs();
}

/// Where it has ended by now, it may have done so while we waited for a processor since the begin: then that held up what is seen of its end.
void RunClock::aboutToWait()
{
    m_ours = capture::ownSchedulerTimes();
    if (capture::processState(m_pid) == 'Z')
        m_ours = m_oursAtBegin;
}

void RunClock::ended()
{
    m_endNs = nowNs();
    const auto ours = capture::ownSchedulerTimes();
    m_ourWaitNs = ours && m_ours ? ours->waitedNs - m_ours->waitedNs : 0;
    m_end = capture::schedulerTimesOf(m_pid);
}

RunTimes RunClock::times(std::int64_t cpuNs) const
{
    return runTimes(m_endNs - m_beginNs, m_ourWaitNs, cpuNs, m_begin, m_end);
}

RunTimes runTimes(std::int64_t wallNs, std::int64_t ourWaitNs, std::int64_t cpuNs,
    const std::optional<capture::SchedulerTimes> &begin, const std::optional<capture::SchedulerTimes> &end)
{
    constexpr double kLeastShare = 0.99; // what others did is then less than what a limit of a time accepts
    RunTimes times{.wallNs = wallNs, .ownNs = {}, .absent = {}};
    if (!begin || !end) {
        times.absent = "The kernel does not tell here how long a program waits for a processor (/proc/PID/schedstat).";
        return times;
    }
    const double share
        = static_cast<double>(end->onProcessorNs) / static_cast<double>(std::max<std::int64_t>(cpuNs, 1));
    if (share < kLeastShare) {
        times.absent
            = fmt::format("Its first thread did {:.0f} % of the work: how long the others waited for a processor "
                          "is not known.",
                share * 100);
        return times;
    }
    times.ownNs
        = std::max(wallNs - (end->waitedNs - begin->waitedNs) - ourWaitNs, end->onProcessorNs - begin->onProcessorNs);
    return times;
}

} // namespace app
