// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/program_kind.h"

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

/// What was found out about a process that somebody wants to attach to, before any judgement.
struct ProcessFacts
{
    std::int32_t pid = 0;
    bool exists = false;
    char state = '?'; ///< as /proc/PID/stat has it
    bool isKernelThread = false;
    bool isOurselves = false;
    std::uint32_t user = 0;    ///< effective user id
    std::uint32_t ownUser = 0; ///< ours
    std::int32_t tracerPid = 0;
    std::string tracerName;
    int seccompMode = 0;       ///< 0 none, 1 strict, 2 a filter
    bool hasOwnFilter = false; ///< its filters are not just those that we run under too (a container's)
    bool hasShadowStack = false;
    bool hasOtherMounts = false, hasOtherPids = false, hasOtherNetwork = false, hasOtherUsers = false;
    int memoryErrno = 0; ///< of opening its memory, which takes the right to trace it; 0: it opened
    ProgramKind program;
    bool usesGlibc = false;              ///< its libc is mapped
    bool hasSanitizer = false;           ///< a sanitizer's run time is mapped or linked
    std::vector<std::string> allocators; ///< names of mapped libraries that are allocators
    bool definesMalloc = false;          ///< the program file itself exports malloc
    std::string insideAllocator;         ///< an allocator that the program file has inside; empty: none known
    bool seesTracer = false;             ///< the tracer's file is in its file system too, or mapped already
    bool hasTracer = false;              ///< mapped already
    bool isBeingTraced = false;          ///< a recorder serves it now
};

/// Finds out. Reads /proc and the files of the process; stops nothing. `tracerPath` as this process sees it.
ProcessFacts readProcessFacts(std::int32_t pid, const std::string &tracerPath);

/// Whether a thread of the process runs under seccomp filters beyond those that we run under too.
bool hasOwnFilter(std::int32_t pid);

} // namespace capture
