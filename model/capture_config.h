// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"

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

/// What a recording captures; stored in the session as it was asked for.
struct CaptureConfig
{
    HeapMode heap = HeapMode::Full;
    std::int64_t heapPeriodBytes = 512 * 1024;  ///< mean distance of samples in Sampled mode
    std::int64_t heapBudgetMilliPercent = 5000; ///< of one core, that recording may cost in Auto mode
    std::uint32_t cpuHz = 199;                  ///< samples per second and CPU; 0: off
    ChildMode children = ChildMode::Follow;
    Duration tick = Duration::fromMs(1000);
    std::optional<Duration> duration; ///< recording ends by itself after this
    std::vector<std::string> command; ///< program and arguments; empty when attached
    std::string workingDirectory;     ///< empty: the recorder's own
    std::optional<std::int32_t> attachPid;
};

} // namespace model
