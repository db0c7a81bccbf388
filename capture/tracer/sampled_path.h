// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/bootstrap_heap.h"
#include "capture/tracer/next_functions.h"
#include "capture/tracer/shared_head.h"
#include "capture/tracer/tracing.h"

#include <cstddef>
#include <cstdint>

/// The shortest ways through a hook where blocks are sampled and this one is not: no call, no stack. They do what recorder.h would have done, or
/// nothing at all; then that is to be asked.
namespace capture::tracer {

/// Asks `pass(words)` of the calling thread's words where it samples by the recorder's last order, and with an allocator that calls no hooks.
/// For a hook that goes on with a jump; nothing is held meanwhile: what is read stays where it is (SharedHead), and of a signal handler that comes
/// in between the distance to the next sample may not know.
template <typename Pass> [[gnu::always_inline]] inline bool isPassed(Pass pass)
{
    SamplingWords &words = t_words.sampling;
    return SharedHead::header().order.load(std::memory_order_relaxed) + 1 == words.afterOrder
        && words.flag == ForkFlag::value() && pass(words);
}

/// True: an allocation that is no sample.
[[gnu::always_inline]] inline bool passesOver(std::size_t size)
{
    return isPassed([=](SamplingWords &words) {
        words.lastAllocation = 0; // one that nobody follows; if this is one, it says so itself
        return words.sampler.passesOver(size);
    });
}

/// True: nobody waits for the end of this block, and it is not the loader that calls, from `caller`.
[[gnu::always_inline]] inline bool passesFree(const void *pointer, const void *caller)
{
    return isPassed([=](SamplingWords &) {
        const auto from = reinterpret_cast<std::uint64_t>(caller);
        return from - g_loaderBegin >= g_loaderBytes && !BootstrapHeap::owns(pointer)
            && !SharedHead::mayHold(reinterpret_cast<std::uint64_t>(pointer));
    });
}

/// True: neither the end of `old` nor a block of `size` bytes has to be told.
[[gnu::always_inline]] inline bool passesResize(const void *old, std::size_t size)
{
    return isPassed([=](SamplingWords &words) {
        if (size == 0 || BootstrapHeap::owns(old) || SharedHead::mayHold(reinterpret_cast<std::uint64_t>(old)))
            return false;
        words.lastAllocation = 0;
        return words.sampler.passesOver(size);
    });
}

/// passesOver() with the guard held, where the allocator is another one.
[[gnu::always_inline]] inline bool isPassedOver(const void *pointer, std::size_t size)
{
    ThreadState *thread = g_tracing.samplingThread();
    if (thread == nullptr || !thread->sampling->sampler.passesOver(size))
        return false;
    thread->sampling->lastAllocation = SamplingWords::complement(pointer);
    return true;
}

/// passesFree() likewise.
[[gnu::always_inline]] inline bool isFreedUnseen(const void *pointer)
{
    return g_tracing.samplingThread() != nullptr
        && !g_tracing.sampledBlocks.mayHold(reinterpret_cast<std::uint64_t>(pointer));
}

} // namespace capture::tracer
