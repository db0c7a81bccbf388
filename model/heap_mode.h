// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/capture_config.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace model {

/// How somebody wants the heap to be recorded: a mode with the figure that belongs to it.
struct HeapWish
{
    HeapMode mode = HeapMode::Full;
    std::int64_t periodBytes = CaptureConfig().heapPeriodBytes;               ///< of Sampled
    std::int64_t budgetMilliPercent = CaptureConfig().heapBudgetMilliPercent; ///< of Auto
};

/// Reads "full", "off", "sampled", "sampled=64KiB", "auto", "auto=2%". Fails with a sentence that names what is possible.
Result<HeapWish> parseHeapWish(std::string_view text);

/// The sampling periods that Auto steps through, in bytes, ascending.
inline constexpr std::int64_t kAutoPeriods[] = {64 * 1024, 512 * 1024, 4 * 1024 * 1024};

/// A way of recording for people: "every allocation", "samples, one of 512 KiB". `periodBytes` as in HeapDelta: 1 is every event.
std::string heapModeWords(std::int64_t periodBytes);

} // namespace model
