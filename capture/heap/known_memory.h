// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace capture {

/// What the tracer in a process tells about its address space: helps to say what resident pages are for. A value.
struct KnownMemory
{
    struct Range
    {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    bool isTraced = false; ///< the rest is empty if not
    bool isWhole = false;  ///< traced from the image's begin on: what is not among `mappings` the program did not map
    std::vector<Range> mappings;          ///< anonymous private memory that the program itself mapped; ascending, apart
    std::vector<Range> tracerRanges;      ///< private memory of the tracer; ascending, apart
    std::vector<std::uint64_t> stackTops; ///< an address in each thread's stack, as far as they are known
};

} // namespace capture
