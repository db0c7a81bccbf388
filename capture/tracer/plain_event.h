// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/captured_stack.h"
#include "capture/tracer/recorder.h"
#include "capture/tracer/shared_head.h"
#include "capture/tracer/tracing.h"

#include <cstddef>
#include <cstdint>

/// The shortest way to a record, of nearly every event where all are recorded, for the hooks that are called most.
namespace capture::tracer {

constexpr bool isOfBlock(wire::RecordType type) { return type <= wire::RecordType::ReallocFailed; }

[[gnu::always_inline]] inline std::uint64_t tscUnits() { return __builtin_ia32_rdtsc() >> wire::kClockShift; }

/// Keeps the counter from being read before what the calling thread has read: the pointer that another thread brought, whose free would get an
/// earlier stamp than its malloc. It costs 10 ns, because the program's own cache misses no longer overlap.
///
/// Where one thread is the sole one, its ring has the order. The recorder pairs allocations and frees without, unless Header::needsOrder.
[[gnu::always_inline]] inline void waitForReads(bool isOfBlock)
{
    if (!isOfBlock || SharedHead::header().needsOrder.load(std::memory_order_relaxed) != 0)
        __builtin_ia32_lfence();
}

/// The time of an event of `thread`, which is the sole one or not.
[[gnu::always_inline]] inline std::uint64_t stampOf(const ThreadState &thread, bool isSole, bool isOfBlock)
{
    if (!isSole)
        waitForReads(isOfBlock);
    const std::uint64_t now = tscUnits();
    g_tracing.sole.afterStamp(&thread);
    return now;
}

/// `thread` has recorded for some time while nobody was the sole one. Where stamps have to be in order across threads, none becomes it.
[[gnu::noinline]] void askToBeSole(const ThreadState &thread);

/// The shortest way, of nearly every event where all are recorded: by a thread that knows its order, of a block whose record is one and finds
/// room. What it does not take on, it leaves untouched: to RecordingThread, which does the same at leisure.
class PlainEvent
{
public:
    [[gnu::always_inline]] PlainEvent(wire::RecordType type, std::uint64_t pointer, std::uint64_t size)
        : m_thread(g_tracing.ownThread())
    {
        if (m_thread == nullptr) [[unlikely]]
            return;
        // In this order: see RecordingThread.
        std::atomic<std::uint32_t> &busy = m_thread->ring.slot().busy;
        busy.store(1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (SharedHead::header().order.load(std::memory_order_relaxed) == m_thread->plainOrder
            && !wire::Record::needsWide(pointer, size) && m_thread->ring.hasPlainRoom() && m_thread->untilTimed > 1)
            [[likely]] {
            --m_thread->untilTimed;
            if (stamp(type)) [[likely]]
                return;
        }
        busy.store(0, std::memory_order_release);
        m_thread = nullptr;
    }
    explicit operator bool() const { return m_thread != nullptr; }
    ThreadState &thread() const { return *m_thread; }
    /// Once.
    void write(wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node) const
    {
        m_thread->lastTime = m_now;
        m_thread->ring.addPlain(wire::Record::plain(type, pointer, size, node, m_delta));
        m_thread->ring.slot().busy.store(0, std::memory_order_release);
    }

private:
    /// False: so long after the last one that its record needs another before it.
    [[gnu::always_inline]] bool stamp(wire::RecordType type)
    {
        const bool isSole = g_tracing.sole.is(m_thread);
        if (!m_thread->stamps.hasOwn(isSole, SharedHead::header().heartbeat.load(std::memory_order_relaxed))) {
            m_now = m_thread->lastTime;
            m_delta = 0;
            return true;
        }
        if (!isSole && m_thread->stamps.asksToBeSole()) [[unlikely]]
            askToBeSole(*m_thread);
        m_now = stampOf(*m_thread, isSole, isOfBlock(type));
        m_delta = m_now - m_thread->lastTime;
        m_thread->stamps.noteStamp(m_delta);
        return m_delta < wire::Record::kTimeLimit;
    }

    ThreadState *m_thread;
    std::uint64_t m_now;
    std::uint64_t m_delta;
};

/// recordAllocation(), without a call.
struct AllocationInline
{
    [[gnu::always_inline]] void operator()(
        wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller) const
    {
        // The time first: then nothing waits for the walk.
        if (const PlainEvent event(type, asNumber(pointer), size); event) [[likely]]
            event.write(type, asNumber(pointer), size, captureStackInline(event.thread(), caller));
        else
            recordAllocationAnyhow(type, pointer, size, caller);
    }
};

/// recordRelease(), without a call.
struct ReleaseInline
{
    [[gnu::always_inline]] bool operator()(wire::RecordType type, const void *pointer) const
    {
        const PlainEvent event(type, asNumber(pointer), 0);
        if (!event) [[unlikely]]
            return recordReleaseAnyhow(type, pointer);
        event.write(type, asNumber(pointer), 0, 0);
        return true;
    }
};

} // namespace capture::tracer
