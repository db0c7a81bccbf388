// SPDX-License-Identifier: MIT
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/reentrancy_guard.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/tracing.h"

#include <signal.h>

#include <algorithm>

namespace capture::tracer {

namespace {

/// What a hook takes of the stack, rounded up: so far above its stack pointer stands what called it. The hook's own part may lie beyond the stack's
/// end, if that is what it ran into.
constexpr std::uint64_t kMostHookBytes = 4096;

/// True too where nobody knows. One with SS_AUTODISARM is not seen; that of a handler for which it lies within the thread's own stack is rare.
bool isOnAlternateStack()
{
    stack_t stack{};
    return failed(rawSyscall(SYS_sigaltstack, 0, asLong(&stack))) || (stack.ss_flags & SS_ONSTACK) != 0;
}

} // namespace

bool recoverFromJump(std::uint64_t sp)
{
    const std::uint64_t left = t_words.inside - 1;
    // Above it on its stack no frame of it is left. Its thread still counts as inside, so nobody takes the shared memory away meanwhile.
    ThreadState *const thread = sp >= left ? g_tracing.ownThread() : nullptr;
    if (thread == nullptr || thread->guest != 0 || !Restrictions::allow(Ask::FindStack))
        return false;
    // A child that shares our words without having its own (clone with CLONE_VM), a handler that has its stack within the thread's, another stack:
    // there the hook that was interrupted goes on later. Whoever was left while it waited for room may have held what nobody else can put right.
    const wire::ThreadSlot &slot = thread->ring.slot();
    if (slot.waiting.load(std::memory_order_relaxed) != 0
        || rawSyscall(SYS_gettid) != static_cast<long>(slot.tid.load(std::memory_order_relaxed))
        || isOnAlternateStack())
        return false;
    // Where blocks are sampled, the stack may have grown since it was walked last.
    const std::uint64_t caller = std::min(left + kMostHookBytes, sp);
    KnownStack stack = thread->stack;
    if (!stack.extendTo(caller) || !stack.holds(sp) || !stack.holds(caller))
        return false;
    g_tracing.memory.header().losses.reentered.fetch_add(1, std::memory_order_relaxed); // what it was about to tell
    thread->recover(sp);
    return true;
}

} // namespace capture::tracer
