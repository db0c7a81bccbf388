// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <time.h>

#include <cstdint>
#include <functional>

namespace capture {

/// The clocks that reading /proc needs, passed in so that tests can set them. Nanoseconds.
struct ProcClock
{
    std::function<std::int64_t()> monotonicNs; ///< CLOCK_MONOTONIC
    std::function<std::int64_t()> bootNs;      ///< CLOCK_BOOTTIME, which /proc/PID/stat counts a process's start in
    std::int64_t ticksPerSecond = 100;         ///< sysconf(_SC_CLK_TCK), the unit of times in stat files

    /// How old a process is that began in this tick of its stat file, or a little younger: counted from the tick's end.
    std::int64_t ageNs(std::int64_t startTicks) const
    {
        return bootNs() - (startTicks + 1) * (1'000'000'000 / ticksPerSecond);
    }

    /// Whether the process that has this pid now is one that began by then (CLOCK_MONOTONIC), and no later one with its number: as far as /proc,
    /// whose times are coarse, can tell.
    bool beganBy(std::int32_t pid, std::int64_t monotonic) const;

    /// The system's own.
    static ProcClock system();
};

} // namespace capture
