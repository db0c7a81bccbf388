// SPDX-License-Identifier: MIT
#include "capture/tracer/recorder.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/plain_event.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/tracing.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace capture::tracer {

namespace {

[[gnu::noinline]] std::uint64_t monotonicUnits()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
    return ns >> wire::kClockShift;
}

[[gnu::always_inline]] inline std::uint64_t clockUnits(const ThreadState &thread)
{
    if (g_tracing.memory.header().clock != wire::Clock::Tsc)
        return monotonicUnits();
    return stampOf(thread, g_tracing.sole.is(&thread), false);
}

/// Room for one event, or false: then the event is dropped and counted. Off the fast path.
[[gnu::noinline]] bool makeRoom(ThreadState &thread)
{
    wire::RingWriter &ring = thread.ring;
    wire::ThreadSlot &slot = ring.slot();
    Doorbell doorbell(g_tracing.memory);
    for (;;) {
        const std::uint32_t seen = slot.space.load(std::memory_order_seq_cst);
        slot.waiting.store(1, std::memory_order_seq_cst);
        wire::RingWriter::Room room = ring.refresh(wire::kRecordsPerEvent);
        if (room == wire::RingWriter::Room::Full && ring.takeOffer())
            room = ring.refresh(wire::kRecordsPerEvent);
        if (room != wire::RingWriter::Room::Full) {
            slot.waiting.store(0, std::memory_order_relaxed);
            thread.gaveUp = false;
            if (room == wire::RingWriter::Room::HalfFull)
                doorbell.ring();
            return true;
        }
        if (thread.gaveUp || !doorbell.mayWaitOn()) {
            slot.waiting.store(0, std::memory_order_relaxed);
            slot.dropped.fetch_add(1, std::memory_order_relaxed);
            g_tracing.memory.header().losses.droppedRing.fetch_add(1, std::memory_order_relaxed);
            if (!thread.gaveUp && doorbell.recorderIsGone())
                g_tracing.goDormant();
            thread.gaveUp = true;
            return false;
        }
        doorbell.ring();
        doorbell.waitForSpace(slot, seen);
    }
}

/// Writes what happened at `now`, in clock units. False if there was no room, which is counted.
[[gnu::always_inline]] inline bool writeAt(std::uint64_t now, ThreadState &thread, wire::RecordType type,
    std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
{
    wire::RingWriter &ring = thread.ring;
    if (!ring.hasRoom(wire::kRecordsPerEvent) && !makeRoom(thread)) [[unlikely]]
        return false;
    std::uint64_t delta = now - thread.lastTime;
    if (delta >= wire::Record::kTimeLimit) [[unlikely]] {
        if (wire::Record::needsTime(thread.lastTime, now)) {
            ring.add(wire::Record::time(now));
            thread.lastTime = now;
        }
        delta = 0;
    } else {
        thread.lastTime = now;
    }
    if (wire::Record::needsWide(pointer, size)) [[unlikely]]
        ring.add(wire::Record::wide(pointer, size));
    ring.add(wire::Record::of(type, pointer, size, node, delta));
    ring.publish();
    return true;
}

/// The same of what happens now; off the fast path.
[[gnu::noinline]] bool write(
    ThreadState &thread, wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
{
    return writeAt(clockUnits(thread), thread, type, pointer, size, node);
}

/// Measures what recording costs the program, at one event in so many: what `--heap auto` keeps to a budget.
class EventTimer
{
public:
    explicit EventTimer(ThreadState &thread)
        : m_thread(thread)
    {
        if (--thread.untilTimed != 0) [[likely]]
            return;
        // Primes: a program that does the same over and over is not always measured at the same place.
        thread.untilTimed = isSampling(thread.coverage) ? 13 : 251;
        m_begin = clockUnits(thread);
    }
    ~EventTimer()
    {
        if (m_begin != 0) [[unlikely]] {
            end();
            m_thread.noticeSilence(g_tracing.memory.header(), m_begin);
        }
    }
    EventTimer(const EventTimer &) = delete;
    EventTimer &operator=(const EventTimer &) = delete;

private:
    [[gnu::noinline]] void end() const
    {
        // One that took longer was interrupted, or waited for room, which is counted elsewhere.
        constexpr std::uint64_t kLongestUnits = 512; // 10 to 33 µs
        wire::Header &header = g_tracing.memory.header();
        const std::uint64_t end = clockUnits(m_thread);
        const std::uint64_t clock = clockUnits(m_thread) - end; // what looking at it costs is no part of it
        if (end - m_begin >= kLongestUnits || clock >= kLongestUnits)
            return;
        // Nor is a stamp that nearly all others do without.
        const std::uint64_t looks = m_thread.stamps.isShared() && g_tracing.sole.is(&m_thread) ? 2 : 1;
        header.timedUnits.fetch_add(end - m_begin - std::min(looks * clock, end - m_begin), std::memory_order_relaxed);
        header.timedEvents.fetch_add(1, std::memory_order_relaxed);
    }

    ThreadState &m_thread;
    std::uint64_t m_begin = 0;
};

/// Takes up the recorder's last order for the calling thread, and tells so in its ring: what stands there before follows the order
/// before. False if it is to stop, or if there was no room to tell.
[[gnu::noinline]] bool takeOrder(ThreadState &thread)
{
    Tracing &tracing = g_tracing;
    wire::Header &header = tracing.memory.header();
    const std::uint32_t word = header.order.load(std::memory_order_acquire);
    if (!ForkFlag::isRaised())
        return false; // forked in this hook: that is nobody's order
    if (word == wire::kStopped) {
        tracing.goDormant();
        return false;
    }
    if (word != thread.toldOrder && !write(thread, wire::RecordType::Order, 0, wire::orderNumber(word), 0))
        return false;
    thread.toldOrder = word;
    const wire::Order wanted = header.orders[wire::orderNumber(word) % wire::kOrders];
    if (const std::uint64_t buckets = header.sampledBuckets.load(std::memory_order_acquire); buckets != 0)
        tracing.sampledBlocks = wire::SampledBlocks(tracing.memory, buckets); // the same whenever it is done
    thread.follow(word, wanted);
    return true;
}

/// The calling thread's state if this process records now, while an event is recorded.
///
/// Before the recorder thins what it knows, it waits for all events that are recorded in full: whoever records so says that it is busy
/// before it looks at the order, and until its record is written. Who looked before the order came is seen to be busy a little later.
class RecordingThread
{
public:
    RecordingThread()
        : m_thread(enter())
    {
    }
    ~RecordingThread()
    {
        if (m_thread != nullptr && !isSampling(m_thread->coverage))
            m_thread->ring.slot().busy.store(0, std::memory_order_release);
    }
    RecordingThread(const RecordingThread &) = delete;
    RecordingThread &operator=(const RecordingThread &) = delete;

    explicit operator bool() const { return m_thread != nullptr; }
    ThreadState &operator*() const { return *m_thread; }
    ThreadState *operator->() const { return m_thread; }

private:
    static ThreadState *enter()
    {
        Tracing &tracing = g_tracing;
        if (!tracing.isRecording())
            return nullptr;
        // The thread's state first: from then on nobody takes the shared memory away while the thread is in a hook.
        ThreadState *thread = tracing.thread();
        if (thread == nullptr)
            return nullptr;
        for (;;) {
            if (!isSampling(thread->coverage))
                thread->ring.slot().busy.store(1, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (tracing.memory.header().order.load(std::memory_order_relaxed) == thread->order) [[likely]]
                return thread;
            const bool goesOn = takeOrder(*thread);
            thread->ring.slot().busy.store(0, std::memory_order_release);
            if (!goesOn)
                return nullptr;
        }
    }

    ThreadState *m_thread;
};

/// Counts a sample that cannot be followed to its end, and so is not taken.
bool follow(const void *pointer)
{
    if (g_tracing.sampledBlocks.add(asNumber(pointer)))
        return true;
    g_tracing.memory.header().losses.samplesRefused.fetch_add(1, std::memory_order_relaxed);
    return false;
}

/// Undoes what SampledBlocks::remove() did, whose result was `takenOut`. Counts a sample that cannot be followed any further.
bool putBack(const void *pointer, std::uint32_t takenOut)
{
    const wire::SampledBlocks &set = g_tracing.sampledBlocks;
    if (takenOut == 0 || (takenOut == wire::kFreedKept ? set.addKept(asNumber(pointer)) : set.add(asNumber(pointer))))
        return true;
    g_tracing.memory.header().losses.samplesRefused.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void sampleAllocation(ThreadState &thread, wire::RecordType type, const void *pointer, std::size_t size,
    const unwind::NarrowFrame &caller)
{
    thread.sampling->lastAllocation = SamplingWords::complement(pointer);
    const bool wasTold = type == wire::RecordType::ReallocEnd && thread.reallocWasTold;
    if (!thread.sampling->sampler.takes(size) || !follow(pointer)) [[likely]] {
        if (wasTold)
            write(thread, wire::RecordType::ReallocEnd, 0, 0, 0);
        return;
    }
    const EventTimer timer(thread);
    const wire::RecordType told = wasTold ? wire::RecordType::ReallocEnd : wire::RecordType::Malloc;
    write(thread, told, asNumber(pointer), size, captureStack(thread, caller));
}

void sampleRelease(ThreadState &thread, wire::RecordType type, const void *pointer)
{
    const std::uint32_t takenOut = g_tracing.sampledBlocks.remove(asNumber(pointer));
    const bool isTold = takenOut != 0 || thread.coverage != Coverage::Sampled;
    if (type == wire::RecordType::ReallocBegin) {
        thread.reallocWasTold = isTold;
        thread.reallocTakenOut = takenOut;
    }
    if (!isTold)
        return;
    const EventTimer timer(thread);
    const bool isWritten = write(thread, type, asNumber(pointer), 0,
        (thread.sampling->lastAllocation == SamplingWords::complement(pointer) ? wire::kFreedLast : 0) | takenOut);
    if (type == wire::RecordType::ReallocBegin)
        thread.reallocWasTold = isWritten;
}

} // namespace

void askToBeSole(const ThreadState &thread)
{
    if (g_tracing.memory.header().needsOrder.load(std::memory_order_relaxed) == 0)
        g_tracing.sole.tryBecome(&thread);
}

void recordAllocationAnyhow(
    wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller)
{
    const RecordingThread thread;
    if (!thread)
        return;
    // Mappings and pools are few: each is told.
    const bool isBlock = type == wire::RecordType::Malloc || type == wire::RecordType::ReallocEnd;
    if (isSampling(thread->coverage) && isBlock)
        return sampleAllocation(*thread, type, pointer, size, caller);
    const EventTimer timer(*thread);
    const std::uint64_t now = clockUnits(*thread);
    writeAt(now, *thread, type, asNumber(pointer), size, captureStack(*thread, caller));
}

bool recordReleaseAnyhow(wire::RecordType type, const void *pointer)
{
    const RecordingThread thread;
    if (!thread)
        return false;
    if (thread->coverage != Coverage::All) { // what was sampled has to be taken out
        sampleRelease(*thread, type, pointer);
        return true;
    }
    const EventTimer timer(*thread);
    // An end without its begin would make no sense.
    return writeAt(clockUnits(*thread), *thread, type, asNumber(pointer), 0, 0)
        || type != wire::RecordType::ReallocBegin;
}

void recordAllocation(wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller)
{
    AllocationInline()(type, pointer, size, caller);
}

bool recordRelease(wire::RecordType type, const void *pointer) { return ReleaseInline()(type, pointer); }

void recordReallocFailed(const void *old)
{
    const RecordingThread thread;
    if (!thread)
        return;
    // The block lives on, and so does what the set said of it.
    const bool isFollowed = putBack(old, std::exchange(thread->reallocTakenOut, 0));
    if (!isSampling(thread->coverage) || thread->reallocWasTold)
        write(*thread, isFollowed ? wire::RecordType::ReallocFailed : wire::RecordType::ReallocEnd, 0, 0, 0);
}

void recordReallocFreed()
{
    const RecordingThread thread;
    if (thread && (!isSampling(thread->coverage) || thread->reallocWasTold))
        write(*thread, wire::RecordType::ReallocEnd, 0, 0, 0);
}

void recordPlain(wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
{
    const RecordingThread thread;
    if (!thread)
        return;
    if (type == wire::RecordType::Unmap)
        thread->stack.unmapped(pointer & ~wire::kMapFlags, size);
    write(*thread, type, pointer, size, node);
}

void noteLoaderFree(const void *pointer)
{
    if (!g_tracing.isRecording())
        return;
    const Tracing::Visit visit;
    if (ForkFlag::isRaised())
        g_tracing.loaderFreed(pointer);
}

bool isAllocatorCode(const void *pc) { return g_tracing.isAllocatorCode(asNumber(pc)); }

void countReentered(const void *caller)
{
    // Our own: a hook went on to a function that ends in a jump to another one.
    if (!ForkFlag::isRaised() || isAllocatorCode(caller) || g_tracing.isOwnCode(asNumber(caller)))
        return;
    const Tracing::Visit visit;
    if (ForkFlag::isRaised())
        g_tracing.memory.header().losses.reentered.fetch_add(1, std::memory_order_relaxed);
}

} // namespace capture::tracer
