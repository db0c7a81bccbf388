// SPDX-License-Identifier: MIT
// The part of Tracing that a process needs which is attached to and left while it runs.
#include "capture/tracer/doorbell.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/shared_head.h"
#include "capture/tracer/tracing.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>

namespace capture::tracer {

namespace {

/// After it, each thread of the process either sees what we wrote before or has shown us what it wrote itself: a thread enters a
/// hook with a plain store. False where the kernel has no such thing (before 4.14).
bool fenceAllThreads()
{
    rawSyscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0);
    return rawSyscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0;
}

/// Whether the thread that owns `words` is in a hook. It may be gone, and its words with it, so the kernel reads them: waiting for
/// a futex for no time at all says ETIMEDOUT if it is 0, EAGAIN if it is not, EFAULT if there is none.
bool isInside(const ThreadWords *words)
{
    const timespec none{};
    return rawSyscall(SYS_futex, asLong(&words->inside), FUTEX_WAIT_PRIVATE, 0, asLong(&none)) == -EAGAIN;
}

/// Whether the thread that took `slot` is gone: its words may be anybody's memory by now.
bool hasEnded(const ThreadState &state, const wire::ThreadSlot &slot)
{
    if (slot.state.load(std::memory_order_acquire) != wire::SlotState::Taken)
        return true;
    const auto tid = static_cast<long>(slot.tid.load(std::memory_order_relaxed));
    if (state.guest != 0)
        return rawSyscall(SYS_tkill, tid, 0) == -ESRCH;
    return rawSyscall(SYS_tgkill, rawSyscall(SYS_getpid), tid, 0) == -ESRCH;
}

} // namespace

bool Tracing::attach()
{
    const Standing before = standing();
    const Phase phase = before.ownPhase();
    if ((phase != Phase::Unstarted && phase != Phase::Dormant) || !beginConnecting(before))
        return false;
    if (connect(wire::Origin::Attach))
        return true;
    setPhase(Phase::Dormant);
    return false;
}

bool Tracing::activate()
{
    const bool isRaised = ForkFlag::raise();
    if (!isRaised)
        retreat(wire::Retreat::NoForkFlag);
    setPhase(isRaised ? Phase::Active : Phase::Dormant);
    return isRaised;
}

bool Tracing::isServing() const
{
    return standing().phase == Phase::Active && ForkFlag::isRaised()
        && memory.header().order.load(std::memory_order_relaxed) != wire::kStopped
        && !Doorbell(memory).recorderIsGone();
}

bool Tracing::hasVisitors() const
{
    if (g_visitors.load(std::memory_order_seq_cst) != 0)
        return true;
    for (std::uint32_t i = 0; i < wire::kMaxThreads; ++i) {
        const ThreadState *state = m_states[i];
        const ThreadWords *owner = state != nullptr ? __atomic_load_n(&state->owner, __ATOMIC_ACQUIRE) : nullptr;
        if (owner != nullptr && owner != &t_words && isInside(owner) && !hasEnded(*state, memory.slot(i)))
            return true;
    }
    return false;
}

void Tracing::disownStates()
{
    for (ThreadState *state : m_states)
        if (state != nullptr)
            __atomic_store_n(&state->owner, nullptr, __ATOMIC_RELEASE);
}

bool Tracing::leave()
{
    if (standing().ownPhase() == Phase::Connecting)
        return false;
    goDormant();
    if (memory.base == nullptr)
        return true;
    if (m_memoryPid == rawSyscall(SYS_getpid)) {
        if (!fenceAllThreads() || hasVisitors())
            return false;
        rawSyscall(SYS_munmap, asLong(memory.base), static_cast<long>(wire::kMemoryBytes));
        SharedHead::clear(); // thereafter: where memory is locked and its amount limited, there is room for it now
    }
    disownStates();
    memory = {};
    return true;
}

bool Tracing::giveWay(wire::Retreat why)
{
    static constinit std::atomic<std::uint32_t> s_isGiving = 0; // by one thread, once
    {
        const Visit visit;
        if (!ForkFlag::isRaised() || !Restrictions::allow(Ask::Leave) || m_memoryPid != rawSyscall(SYS_getpid)
            || s_isGiving.exchange(1, std::memory_order_acq_rel) != 0)
            return false;
        retreat(why);
    }
    constexpr int kTries = 100;
    bool hasLeft = leave();
    for (int i = 0; !hasLeft && i < kTries; ++i) {
        const timespec aMoment{0, 1'000'000};
        rawSyscall(SYS_nanosleep, asLong(&aMoment), 0);
        hasLeft = leave();
    }
    s_isGiving.store(0, std::memory_order_release);
    return hasLeft;
}

} // namespace capture::tracer
