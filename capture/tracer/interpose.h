// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/bootstrap_heap.h"
#include "capture/tracer/next_functions.h"
#include "capture/tracer/recorder.h"
#include "capture/tracer/reentrancy_guard.h"
#include "capture/tracer/sampled_path.h"

#include <cstddef>

/// Makes a function of the tracer the one that the program's calls bind to.
#define GENESIS_EXPORT extern "C" __attribute__((visibility("default")))

namespace capture::tracer {

/// Whether calls can be passed on; finds out how at the first call.
inline bool canForward() { return __atomic_load_n(&g_next.malloc, __ATOMIC_ACQUIRE) != nullptr || findNextFunctions(); }

/// Calls the allocator through `call` and records the block it returns. Inlined, so that the hook's own frame
/// is the only one of ours above the program's.
template <typename Call> [[gnu::always_inline]] inline void *allocateBy(std::size_t size, Call call)
{
    ReentrancyGuard guard;
    void *pointer = call();
    if (pointer == nullptr)
        return nullptr;
    if (!guard)
        countReentered(__builtin_return_address(0));
    else if (!isPassedOver(pointer, size))
        recordAllocation(wire::RecordType::Malloc, pointer, size, callerFrame());
    return pointer;
}

/// Calls the allocator through `call`, which resizes `old` to `size` bytes, and records what became of both. `freesAtZero`: a null
/// result for size 0 means that the block was freed, not that the call failed.
template <typename Call>
[[gnu::always_inline]] inline void *resizeBy(void *old, std::size_t size, bool freesAtZero, Call call)
{
    ReentrancyGuard guard;
    if (!guard) {
        countReentered(__builtin_return_address(0));
        return call();
    }
    // Where recording begins in between (an attach), only the new block is known.
    const bool hasBegun = recordRelease(wire::RecordType::ReallocBegin, old);
    void *pointer = call();
    if (pointer != nullptr)
        recordAllocation(
            hasBegun ? wire::RecordType::ReallocEnd : wire::RecordType::Malloc, pointer, size, callerFrame());
    else if (hasBegun && size == 0 && freesAtZero)
        recordReallocFreed();
    else if (hasBegun)
        recordReallocFailed(old);
    return pointer;
}

/// Records the end of `pointer`, then calls the allocator through `call`.
template <typename Call> [[gnu::always_inline]] inline void freeBy(void *pointer, Call call)
{
    if (pointer == nullptr || BootstrapHeap::owns(pointer) || !canForward())
        return;
    // The allocator is about to touch the block's header: let that miss overlap with ours.
    __builtin_prefetch(static_cast<const char *>(pointer) - 16, 1);
    ReentrancyGuard guard;
    if (guard) {
        const auto caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
        if (caller >= g_loaderBegin && caller < g_loaderEnd) [[unlikely]]
            noteLoaderFree(pointer);
        if (!isFreedUnseen(pointer))
            recordRelease(wire::RecordType::Free, pointer);
    } else {
        countReentered(__builtin_return_address(0));
    }
    call();
}

} // namespace capture::tracer
