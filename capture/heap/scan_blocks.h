// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/memory_maps.h"
#include "capture/scan/scan_room.h"
#include "capture/scan/word_reader.h"
#include "model/base/result.h"
#include "model/heap/live_table.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

/// More than all of a process's addresses.
inline constexpr std::uint64_t kAddressSpaceBytes = std::uint64_t{1} << 47;

// The blocks of a process as a scan for lost memory takes them from its books.

/// Copies the books, and nothing more: the process, which runs again, waits for them when it allocates much. Into `blocks` as far as it
/// reaches, which was written to before.
void copyBlocks(const model::LiveTable &live, std::vector<model::ScanBlock> &blocks);

/// Cuts blocks to what `extent` has of them; returns how many are left out, as it has nothing.
std::size_t cutBlocks(const MappedExtent &extent, std::vector<model::ScanBlock> &blocks);

/// Whether a filter that was made before the stop knows where all blocks lie.
bool coversAll(const SegmentFilter &filter, const std::vector<model::ScanBlock> &blocks);

/// Makes a filter anew; false if the blocks are more than an address space has room for.
bool fillFilter(const std::vector<model::ScanBlock> &blocks, SegmentFilter &filter);

/// Adds what malloc may hand out next, which is near what it has handed out.
void addBreak(SegmentFilter &filter, const std::vector<MemoryMapping> &mappings);

/// What is said where the blocks are more than that.
model::Error tooManyBytes(std::int32_t pid);

} // namespace capture
