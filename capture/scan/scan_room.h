// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/memory_maps.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

/// What of its addresses a process has mapped. A target says itself how large its blocks are: only what it has can be one. One thread's.
class MappedExtent
{
public:
    /// `mappings` in the order of their addresses.
    explicit MappedExtent(const std::vector<MemoryMapping> &mappings);

    /// The end of what is mapped of [begin, end), from `begin` on without a gap; `begin` if nothing is.
    std::uint64_t endOf(std::uint64_t begin, std::uint64_t end) const;

private:
    struct Range
    {
        std::uint64_t begin;
        std::uint64_t end;
    };
    std::vector<Range> m_ranges;    ///< that do not touch, ascending
    mutable std::size_t m_last = 0; ///< of the last question: most blocks lie in one of them
};

/// What is known of a process before it is looked through.
struct ScanExtent
{
    std::size_t blocks = 0;
    std::uint64_t blockBytes = 0;     ///< of its blocks together
    std::uint64_t residentBytes = 0;  ///< of the process, in memory or swapped out: what is not, holds nothing
    std::uint64_t availableBytes = 0; ///< that this machine has left
};

/// For how many words room is made before the process is stopped: what is to be expected, but no more than a quarter of the memory that is
/// left. What goes beyond is made room for while it stands still.
std::size_t wordsToExpect(const ScanExtent &extent);

/// Bytes of a process that are in memory or swapped out, and bytes that the machine has left; each 0 if it cannot be read.
std::uint64_t residentBytesOf(std::int32_t pid);
std::uint64_t availableBytes();

} // namespace capture
