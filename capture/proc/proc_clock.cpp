// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_clock.h"

#include <unistd.h>

namespace capture {

namespace {

std::int64_t nowNs(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

ProcClock ProcClock::system()
{
    return {[] { return nowNs(CLOCK_MONOTONIC); }, [] { return nowNs(CLOCK_BOOTTIME); }, ::sysconf(_SC_CLK_TCK)};
}

} // namespace capture
