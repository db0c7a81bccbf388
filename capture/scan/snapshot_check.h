// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/known_memory.h"
#include "capture/proc/memory_maps.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// Why a running process must not, or cannot, be copied by fork, as the rest of a sentence ("it has given up system calls"); empty if it may.
/// Reads /proc; before the process is stopped.
///
/// - What the copy asks the kernel for must be allowed: no seccomp filter of its own.
/// - Data that a device writes into the memory of a forked process may land in the copy alone (open(2), O_DIRECT): no asynchronous I/O. Nor
///   private huge pages of hugetlbfs, of which a second one may not be there when it is needed (the program would get SIGBUS).
/// - fork waits for who handles the page faults of a process by userfaultfd.
/// - If the program writes to all of its memory meanwhile, there must be room for it twice.
std::string whyNoSnapshot(std::int32_t pid, const std::vector<MemoryMapping> &mappings);

/// The same from the mappings alone. Pure.
std::string whyNoSnapshotOf(const std::vector<MemoryMapping> &mappings);

/// Whether what a thread forks is in this process's PID namespace: after unshare(2) or setns(2) its next child would be the init of another
/// one, with whose end nothing can be forked there any more.
bool hasChildrenAmongUs(std::int32_t pid, std::int32_t tid);

/// What of `wanted` a copy by fork has not got as it was: left out (MADV_DONTFORK), or shared with the original and so ever changing.
/// All ascending. Pure.
std::vector<KnownMemory::Range> notInSnapshot(
    const std::vector<KnownMemory::Range> &wanted, const std::vector<MemoryMapping> &snapshot);

/// The mappings that the kernel emptied in a copy (MADV_WIPEONFORK), from the text of its smaps file. Ascending. Pure.
std::vector<KnownMemory::Range> wipedRanges(std::string_view smaps);

} // namespace capture
