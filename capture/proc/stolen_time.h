// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace capture {

/// What all processors together have done since the machine started, in clock ticks: the first line of /proc/stat (proc(5)).
struct ProcessorTimes
{
    std::uint64_t used = 0;   ///< by programs, guests and the kernel
    std::uint64_t stolen = 0; ///< they had work, and the machine below this one ran something else
};

/// Empty if it is no such line. Kernels before 2.6.11 tell no stolen time.
std::optional<ProcessorTimes> parseProcessorTimes(std::string_view stat);

/// How much of the time in which a processor had work was stolen from it. Any one thread.
class StolenTime
{
public:
    StolenTime();

    /// From the last call (the construction, for the first) until now, 0 to 1; 0 where the system does not tell.
    double takeShare();

private:
    std::optional<ProcessorTimes> m_last;
};

/// What was stolen of what was used or stolen between two readings, 0 to 1.
double stolenShare(const ProcessorTimes &from, const ProcessorTimes &to);

} // namespace capture
