// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "model/heap/heap_ages.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace model {

enum class HeapMode : std::uint8_t {
    Off,
    Full,    ///< every allocation and free
    Sampled, ///< one of so many bytes; counts are estimates with an error
    Auto,    ///< full, and sampled from when on recording costs more than the budget
};

/// Whether the processes that the recorded one starts are recorded too. Ignore: only the program itself, whatever it executes.
enum class ChildMode : std::uint8_t { Follow, Ignore };

/// What a thread of the program does whose events find no room, because the recorder does not keep up. Wait: it waits, for a bounded
/// time, and then events are dropped. Drop: they are at once, and the program never waits. Both count what was dropped.
enum class WhenFull : std::uint8_t { Wait, Drop };

/// How large a session may get: at most `bytes` within the first `period`, and at the same rate afterwards.
struct ByteBudget
{
    std::int64_t bytes = 0;
    Duration period;

    friend bool operator==(const ByteBudget &, const ByteBudget &) = default;
};

/// What a recording captures; stored in the session as it was asked for.
struct CaptureConfig
{
    HeapMode heap = HeapMode::Full;
    std::int64_t heapPeriodBytes = 512 * 1024;  ///< mean distance of samples in Sampled mode
    std::int64_t heapBudgetMilliPercent = 5000; ///< of one core, that recording may cost in Auto mode
    std::uint32_t cpuHz = 199;                  ///< samples per second and CPU; 0: off
    bool systemCalls = false;                   ///< each system call is recorded, with its stack
    bool waits = false;                         ///< and each span in which a thread did not run
    ChildMode children = ChildMode::Follow;
    WhenFull whenFull = WhenFull::Wait;
    Duration tick = Duration::fromMs(1000);
    Duration ageBucket = kFirstAgeBucket; ///< length of the first buckets of what leaks are found by
    std::optional<Duration> duration;     ///< recording ends by itself after this
    std::optional<Duration>
        scanEvery; ///< how often to look for lost memory (model/memory_scan.h), which stops the program; none: never
    std::vector<std::string> command; ///< program and arguments; empty when attached
    std::string workingDirectory;     ///< empty: the recorder's own
    std::optional<std::int32_t> attachPid;
    std::optional<ByteBudget> budget; ///< none: the usual times after which details are merged
};

} // namespace model
