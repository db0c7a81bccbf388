// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/memory_maps.h"

#include <cstdint>
#include <vector>

namespace capture {

/// What is below the stack pointer of a thread that is to run something for us.
enum class StackRoom : std::uint8_t {
    Enough,
    MayGrow, ///< the program's first stack: the thread itself can write further down, but perhaps not we
    None,    ///< too little, or the memory may be somebody else's: that of a coroutine's stack in a block of the heap
};

/// Whether `bytes` below the stack pointer are the stack's own. Sorted `mappings`, as they are now. A thread's own stack has its control
/// block (at the thread pointer, fs base) at its upper end, which tells it from a heap. The guard below it is not asked for: glibc makes it
/// by madvise(2) from 2.42 on, and mappings do not show it. So a stack that the program has put into a larger mapping together with a
/// control block is taken for a thread's own. Other stacks are accepted where they are mappings by themselves: with a guard right
/// below, and not where glibc puts its heaps.
StackRoom stackRoom(const std::vector<MemoryMapping> &mappings, std::uint64_t stackPointer, std::uint64_t threadPointer,
    std::uint64_t bytes);

} // namespace capture
