// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/stack_room.h"

#include <algorithm>

namespace capture {

namespace {

constexpr std::uint64_t kArenaBytes = std::uint64_t{64}
    << 20; // HEAP_MAX_SIZE of glibc's arena.c, and its heaps' alignment

/// With or without a name that was given to it (PR_SET_VMA_ANON_NAME).
bool isAnonymous(const MemoryMapping &mapping) { return mapping.path.empty() || mapping.path.starts_with("[anon"); }

} // namespace

StackRoom stackRoom(const std::vector<MemoryMapping> &mappings, std::uint64_t stackPointer, std::uint64_t threadPointer,
    std::uint64_t bytes)
{
    const auto at = std::partition_point(
        mappings.begin(), mappings.end(), [=](const MemoryMapping &mapping) { return mapping.end <= stackPointer; });
    if (at == mappings.end() || at->begin > stackPointer || !at->isReadable || !at->isWritable || at->isShared)
        return StackRoom::None;
    const bool isEnough = stackPointer - at->begin > bytes;
    if (at->path == "[stack]")
        return isEnough ? StackRoom::Enough : StackRoom::MayGrow;
    if (!isEnough)
        return StackRoom::None;
    if (at->path.starts_with("[stack")) // "[stack:TID]" of Linux 3.4 to 4.4
        return StackRoom::Enough;
    const bool isThreads = threadPointer >= stackPointer && threadPointer < at->end;
    const bool hasGuard
        = at != mappings.begin() && at[-1].end == at->begin && !at[-1].isReadable && isAnonymous(at[-1]);
    const bool isOwn = hasGuard && at->begin % kArenaBytes != 0;
    return isAnonymous(*at) && (isThreads || isOwn) ? StackRoom::Enough : StackRoom::None;
}

} // namespace capture
