// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace model {

/// How a sentence of MemoryScan::limits begins that tells how memory was read, which limits nothing.
inline constexpr std::string_view kReadFromCopy = "Its memory was read from a copy by fork";
inline constexpr std::string_view kReadWhileStopped = "It stood still while its memory was read";

/// MemoryScan::limits in two: what limits the result, and how memory was read; each without a full stop, and empty where nothing is said.
struct ScanLimits
{
    std::string limits;
    std::string reading;
};
ScanLimits scanLimits(std::string_view text);

} // namespace model
