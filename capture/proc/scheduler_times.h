// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace capture {

/// What the scheduler has counted of one thread since it began: the first two numbers of its schedstat file (Linux,
/// Documentation/scheduler/sched-stats.rst).
struct SchedulerTimes
{
    std::int64_t onProcessorNs = 0;
    std::int64_t waitedNs = 0; ///< ready to run, while others had the processor
};

/// Parses a schedstat file. Empty if it is none, and where the kernel does not count (it then writes zeroes).
std::optional<SchedulerTimes> parseSchedulerTimes(std::string_view text);

/// Of the first thread of a process, also when that has ended and was not reaped yet.
std::optional<SchedulerTimes> schedulerTimesOf(std::int32_t pid);
/// Of the thread that asks.
std::optional<SchedulerTimes> ownSchedulerTimes();

} // namespace capture
