// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/known_memory.h"
#include "capture/proc/memory_maps.h"
#include "capture/scan/stopped_process.h"
#include "model/reach/pointer_graph.h"

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

/// Memory of a process that may hold pointers, and what it is.
struct ScanRegion
{
    enum class Kind : std::uint8_t {
        Variables, ///< of a module: .data, .bss
        Stack,     ///< a thread's, from its stack pointer up; with its thread-local memory
        Break,     ///< what malloc grows by brk: "[heap]"
        Mapping,   ///< that the program itself made
        Anonymous, ///< of whom is not known: malloc's, the loader's, a thread's
    };
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Kind kind = Kind::Anonymous;
    std::uint64_t moduleBase = 0;  ///< of variables: where the first byte of the module's file is mapped
    std::string name;              ///< for people: "stack of thread 4711", "variables of libssl.so.3"
    std::string modulePath;        ///< of variables: the module's file, as the process sees it
    std::uint64_t moduleInode = 0; ///< of that file; by now another one may have its path
};

/// Which memory of a stopped process a scan has to read: ascending, apart. What is writable or anonymous, and private or without a
/// file; not the tracer's own, nor what lies below the stack pointer of a stack. Pure.
std::vector<ScanRegion> scanRegions(
    const std::vector<MemoryMapping> &mappings, const std::vector<StoppedThread> &threads, const KnownMemory &known);

/// Which parts of the regions are roots; RootRange::root is the position of the region. Ascending, apart. Pure.
///
/// With all blocks known, memory of the allocator is no root: `allocatorRanges`, "[heap]", arenas of glibc that hold a block, in other anonymous memory
/// less than 1 MiB between two blocks, and the pages of a block. Not a mapping as a whole because a block lies in it: the kernel joins
/// neighbours into one. With blocks unknown, everything else is a root.
std::vector<model::RootRange> rootRanges(const std::vector<ScanRegion> &regions,
    const std::vector<StoppedThread> &threads, const model::BlockIndex &blocks, bool knowsAllBlocks,
    const std::vector<KnownMemory::Range> &allocatorRanges = {});

} // namespace capture
