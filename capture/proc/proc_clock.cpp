// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_clock.h"

#include "capture/proc/proc_reader.h"

#include <unistd.h>

#include <string>

namespace capture {

namespace {

std::int64_t nowNs(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

bool ProcClock::beganBy(std::int32_t pid, std::int64_t monotonic) const
{
    constexpr std::int64_t kSlackNs = 100'000'000; // start times are coarse, and read at another time than the clock
    const auto text = readProcFile("/proc/" + std::to_string(pid) + "/stat");
    const auto stat = text ? parseStat(*text) : std::nullopt;
    return stat && monotonicNs() - ageNs(stat->startTicks) <= monotonic + kSlackNs;
}

ProcClock ProcClock::system()
{
    return {[] { return nowNs(CLOCK_MONOTONIC); }, [] { return nowNs(CLOCK_BOOTTIME); }, ::sysconf(_SC_CLK_TCK)};
}

} // namespace capture
