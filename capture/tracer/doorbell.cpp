// SPDX-License-Identifier: MIT
#include "capture/tracer/doorbell.h"

#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"

#include <linux/futex.h>
#include <sys/uio.h>
#include <time.h>

#include <cerrno>
#include <climits>

namespace capture::tracer {

namespace {

/// A recorder that is alive and not stopped changes its heartbeat in this time, on a machine that is badly overloaded too.
constexpr std::uint64_t kHeartbeatLimitMs = 3000;

/// Where the recorder's process cannot be asked for, it is taken for dead after this long.
constexpr std::uint64_t kDeathLimitMs = 300'000;

/// After this long without a heartbeat it is worth asking whether the recorder is still there.
constexpr std::uint64_t kSilenceMs = 100;

long futex(std::atomic<std::uint32_t> &word, int operation, std::uint32_t value, const timespec *limit = nullptr)
{
    return rawSyscall(SYS_futex, asLong(&word), operation, static_cast<long>(value), asLong(limit));
}

} // namespace

void Doorbell::ring() const
{
    m_header.doorbell.fetch_add(1, std::memory_order_seq_cst);
    if (m_header.recorderSleeps.load(std::memory_order_seq_cst) != 0 && Restrictions::allow(Ask::Wake))
        futex(m_header.doorbell, FUTEX_WAKE, INT_MAX);
}

void Doorbell::waitForSpace(wire::ThreadSlot &slot, std::uint32_t seen) const
{
    if (!Restrictions::allow(Ask::Wake))
        return pause();
    const timespec limit{0, 10'000'000};
    futex(slot.space, FUTEX_WAIT, seen, &limit);
}

bool Doorbell::waitForTurn()
{
    for (std::uint32_t free = 0;
         !m_header.asking.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed);
         free = 0) {
        if (!isServed())
            return false;
        pause();
    }
    return true;
}

bool Doorbell::waitForAnswer(std::uint32_t question)
{
    // The limit on how long a full ring may hold a thread up is for those who did not ask: only signs of life count here.
    ring();
    for (;;) {
        const std::uint32_t answered = m_header.answered.load(std::memory_order_acquire);
        if (answered == question)
            return true;
        if (!isServed())
            return false;
        const timespec limit{0, 20'000'000};
        if (Restrictions::allow(Ask::Wake))
            futex(m_header.answered, FUTEX_WAIT, answered, &limit);
        else
            pause();
    }
}

bool Doorbell::mayWaitOn()
{
    return m_header.waitLimitMs != 0 && isServed() && monotonicMs() - m_startMs < m_header.waitLimitMs;
}

bool Doorbell::isServed()
{
    const std::uint64_t now = monotonicMs();
    const std::uint64_t beat = m_header.heartbeat.load(std::memory_order_relaxed);
    if (isSilent(beat))
        return false;
    if (m_startMs == 0) {
        m_startMs = now;
        m_lastBeatMs = now;
        m_lastBeat = beat;
        return true;
    }
    if (beat != m_lastBeat) {
        m_lastBeat = beat;
        m_lastBeatMs = now;
    }
    if (now - m_lastBeatMs >= kHeartbeatLimitMs) {
        m_header.silentSinceMs.store(now, std::memory_order_relaxed);
        m_header.silentBeat.store(beat + 1, std::memory_order_release);
        return false;
    }
    return !(now - m_lastBeatMs > kSilenceMs && recorderIsGone())
        && m_header.order.load(std::memory_order_relaxed) != wire::kStopped;
}

bool Doorbell::isSilent(std::uint64_t beat) const
{
    return m_header.silentBeat.load(std::memory_order_acquire) == beat + 1;
}

bool Doorbell::recorderIsGone() const
{
    const auto pid = static_cast<long>(m_header.recorderPid);
    if (pid == 0) // in another pid namespace
        return isSilent(m_header.heartbeat.load(std::memory_order_relaxed))
            && monotonicMs() - m_header.silentSinceMs.load(std::memory_order_relaxed) >= kDeathLimitMs;
    if (!Restrictions::allow(Ask::FindRecorder))
        return false;
    // One that its parent has not waited for can be signalled still, but has no memory any more: that is said before who may read it.
    std::uint8_t byte = 0;
    const iovec local{&byte, 1}, remote{nullptr, 1};
    return rawSyscall(SYS_kill, pid, 0) == -ESRCH
        || rawSyscall(SYS_process_vm_readv, pid, asLong(&local), 1, asLong(&remote), 1, 0) == -ESRCH;
}

void Doorbell::pause()
{
    if (!Restrictions::allow(Ask::Sleep)) {
        for (int i = 0; i < 1000; ++i)
            __builtin_ia32_pause();
        return;
    }
    const timespec aMoment{0, 200'000};
    rawSyscall(SYS_nanosleep, asLong(&aMoment), 0);
}

} // namespace capture::tracer
