// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/memory_maps.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace capture {

/// A mapping with what of it is in memory: a block of /proc/PID/smaps. Reading that file costs the kernel 50 ms for 3,000
/// mappings, with the process's mmap_lock held: not for every tick.
struct MappingUse
{
    MemoryMapping mapping;
    std::int64_t residentBytes = 0; ///< with huge pages of hugetlbfs
    std::int64_t proportionalBytes = 0;
    std::int64_t privateBytes = 0; ///< clean and dirty
    std::int64_t anonymousBytes = 0;
    std::int64_t swappedBytes = 0;
};

/// Parses the text of a smaps file; what cannot be understood is passed over, and at most `most` mappings are returned.
std::vector<MappingUse> parseSmaps(std::string_view text, std::size_t most = kMostMappings);

} // namespace capture
