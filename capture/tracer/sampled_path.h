// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/tracing.h"

#include <cstddef>
#include <cstdint>

/// The shortest way through a hook where blocks are sampled and this one is not: no call, no stack, some 20 instructions. Both do what
/// recorder.h would have done, or nothing at all; then that is to be asked. With the guard held.
namespace capture::tracer {

/// True: an allocation that is no sample, and all is done.
[[gnu::always_inline]] inline bool isPassedOver(const void *pointer, std::size_t size)
{
    ThreadState *thread = g_tracing.samplingThread();
    if (thread == nullptr || !thread->sampler.passesOver(size))
        return false;
    thread->lastAllocation = pointer;
    return true;
}

/// True: nobody waits for the end of this block.
[[gnu::always_inline]] inline bool isFreedUnseen(const void *pointer)
{
    return g_tracing.samplingThread() != nullptr
        && !g_tracing.sampledBlocks.mayHold(reinterpret_cast<std::uint64_t>(pointer));
}

} // namespace capture::tracer
