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
inline bool canForward()
{
    return g_way.load(std::memory_order_acquire) != Way::Unknown
        || __atomic_load_n(&g_next.malloc, __ATOMIC_ACQUIRE) != nullptr || findNextFunctions();
}

/// Whether a call may have to be recorded. First in each hook: true costs as little as canForward() there, and implies it.
inline bool mayRecord() { return g_way.load(std::memory_order_acquire) == Way::Record; }

/// Whether a call has only to be passed on: nobody records.
inline bool isPassing() { return g_way.load(std::memory_order_acquire) == Way::PassOn; }

/// Calls the allocator through `call` and records the block it returns: for a hook that mayRecord() told to. Inlined, so that the hook's own
/// frame is the only one of ours above the program's. `record`: recordAllocation(), or AllocationInline.
template <typename Call, typename Record = decltype(&recordAllocation)>
[[gnu::always_inline]] inline void *allocateRecorded(std::size_t size, Call call, Record record = &recordAllocation)
{
    ReentrancyGuard guard;
    void *pointer = call();
    if (pointer == nullptr)
        return nullptr;
    if (!guard)
        countReentered(__builtin_return_address(0));
    else if (!isPassedOver(pointer, size))
        record(wire::RecordType::Malloc, pointer, size, callerFrame());
    return pointer;
}

/// The same for one that was not, and can forward.
template <typename Call> [[gnu::always_inline]] inline void *allocateBy(std::size_t size, Call call)
{
    return isPassing() ? call() : allocateRecorded(size, call);
}

/// Calls the allocator through `call`, which resizes `old` to `size` bytes, and records what became of both. `freesAtZero`: a null
/// result for size 0 means that the block was freed, not that the call failed. For a hook that mayRecord() told to.
template <typename Call>
[[gnu::always_inline]] inline void *resizeRecorded(void *old, std::size_t size, bool freesAtZero, Call call)
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

/// The same for one that was not, and can forward.
template <typename Call>
[[gnu::always_inline]] inline void *resizeBy(void *old, std::size_t size, bool freesAtZero, Call call)
{
    return isPassing() ? call() : resizeRecorded(old, size, freesAtZero, call);
}

/// Records the end of `pointer` by `record` (recordRelease(), or ReleaseInline), then calls the allocator through `call`. For a hook that mayRecord() told to.
template <typename Call, typename Record = decltype(&recordRelease)>
[[gnu::always_inline]] inline void freeRecorded(void *pointer, Call call, Record record = &recordRelease)
{
    if (pointer == nullptr || BootstrapHeap::owns(pointer))
        return;
    // The allocator is about to touch the block's header: let that miss overlap with ours.
    __builtin_prefetch(static_cast<const char *>(pointer) - 16, 1);
    ReentrancyGuard guard;
    if (guard) {
        const auto caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
        if (caller - g_loaderBegin < g_loaderBytes) [[unlikely]]
            noteLoaderFree(pointer);
        if (!isFreedUnseen(pointer))
            record(wire::RecordType::Free, pointer);
    } else {
        countReentered(__builtin_return_address(0));
    }
    call();
}

/// The same for one that was not.
template <typename Call> [[gnu::always_inline]] inline void freeBy(void *pointer, Call call)
{
    if (pointer == nullptr || BootstrapHeap::owns(pointer) || !canForward())
        return;
    if (isPassing())
        call();
    else
        freeRecorded(pointer, call);
}

} // namespace capture::tracer
