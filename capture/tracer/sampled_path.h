// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/bootstrap_heap.h"
#include "capture/tracer/next_functions.h"
#include "capture/tracer/tracing.h"

#include <cstddef>
#include <cstdint>

/// The shortest ways through a hook where blocks are sampled and this one is not: no call, no stack. They do what recorder.h would have done, or
/// nothing at all; then that is to be asked.
namespace capture::tracer {

/// Asks `pass(thread)` of the calling thread's state, where Tracing::passingOrder says that what passes needs no hook held meanwhile. For a
/// hook that goes on with a jump.
template <typename Pass> [[gnu::always_inline]] inline bool isPassed(Pass pass)
{
    const std::uint32_t order = g_tracing.passingOrder.load(std::memory_order_relaxed);
    if (order == ThreadState::kNoOrder) [[likely]]
        return false;
    if (t_words.inside != 0) [[unlikely]]
        return false;
    // As a guard: nobody takes the shared memory away while the thread looks at it.
    t_words.inside = 1;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ThreadState *thread = g_tracing.ownThread();
    const bool isPassed = thread != nullptr && thread->order == order
        && g_tracing.memory.header().order.load(std::memory_order_relaxed) == order && pass(*thread);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    t_words.inside = 0;
    return isPassed;
}

/// True: an allocation that is no sample.
[[gnu::always_inline]] inline bool passesOver(std::size_t size)
{
    return isPassed([=](ThreadState &thread) {
        thread.lastAllocation = nullptr; // one that nobody follows; if this is one, it says so itself
        return thread.sampler.passesOver(size);
    });
}

/// True: nobody waits for the end of this block, and it is not the loader that calls, from `caller`.
[[gnu::always_inline]] inline bool passesFree(const void *pointer, const void *caller)
{
    return isPassed([=](ThreadState &) {
        const auto from = reinterpret_cast<std::uint64_t>(caller);
        return (from < g_loaderBegin || from >= g_loaderEnd) && !BootstrapHeap::owns(pointer)
            && !g_tracing.sampledBlocks.mayHold(reinterpret_cast<std::uint64_t>(pointer));
    });
}

/// True: neither the end of `old` nor a block of `size` bytes has to be told.
[[gnu::always_inline]] inline bool passesResize(const void *old, std::size_t size)
{
    return isPassed([=](ThreadState &thread) {
        if (size == 0 || BootstrapHeap::owns(old)
            || g_tracing.sampledBlocks.mayHold(reinterpret_cast<std::uint64_t>(old)))
            return false;
        thread.lastAllocation = nullptr;
        return thread.sampler.passesOver(size);
    });
}

/// passesOver() with the guard held, where the allocator is another one.
[[gnu::always_inline]] inline bool isPassedOver(const void *pointer, std::size_t size)
{
    ThreadState *thread = g_tracing.samplingThread();
    if (thread == nullptr || !thread->sampler.passesOver(size))
        return false;
    thread->lastAllocation = pointer;
    return true;
}

/// passesFree() likewise.
[[gnu::always_inline]] inline bool isFreedUnseen(const void *pointer)
{
    return g_tracing.samplingThread() != nullptr
        && !g_tracing.sampledBlocks.mayHold(reinterpret_cast<std::uint64_t>(pointer));
}

} // namespace capture::tracer
