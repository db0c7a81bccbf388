// SPDX-License-Identifier: MIT
#include "capture/tracer/recorder.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/tracing.h"

#include <time.h>

namespace capture::tracer {

namespace {

std::uint64_t clockUnits(wire::Clock clock)
{
    if (clock == wire::Clock::Tsc) {
        // Without the fence the counter may be read before the load that brought the pointer from another thread, and a free gets an
        // earlier stamp than its malloc. Pairing then fails now and then (3 of 25 runs with 50 threads); the fence costs 20 to 40 ns
        // a pair, because the program's own cache misses no longer overlap.
        __builtin_ia32_lfence();
        return __builtin_ia32_rdtsc() >> wire::kClockShift;
    }
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
    return ns >> wire::kClockShift;
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

/// False if there was no room, which is counted.
bool write(ThreadState &thread, wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
{
    wire::RingWriter &ring = thread.ring;
    if (!ring.hasRoom(wire::kRecordsPerEvent) && !makeRoom(thread)) [[unlikely]]
        return false;
    const std::uint64_t now = clockUnits(g_tracing.memory.header().clock);
    std::uint64_t delta = now - thread.lastTime;
    if (delta >= wire::Record::kTimeLimit) [[unlikely]] {
        if (now < thread.lastTime) {
            delta = 0; // another core's counter may be a little behind
        } else {
            ring.add(wire::Record::time(now));
            thread.lastTime = now;
            delta = 0;
        }
    } else {
        thread.lastTime = now;
    }
    if (wire::Record::needsWide(pointer, size)) [[unlikely]]
        ring.add(wire::Record::wide(pointer, size));
    ring.add(wire::Record::of(type, pointer, size, node, delta));
    ring.publish();
    return true;
}

/// Takes up the recorder's last order for the calling thread, and tells so in its ring: what stands there before follows the order
/// before. False if it is to stop, or if there was no room to tell.
[[gnu::noinline]] bool takeOrder(ThreadState &thread)
{
    Tracing &tracing = g_tracing;
    wire::Header &header = tracing.memory.header();
    const std::uint32_t word = header.order.load(std::memory_order_acquire);
    if (word == wire::kStopped) {
        tracing.goDormant();
        return false;
    }
    if (word != thread.toldOrder && !write(thread, wire::RecordType::Order, 0, wire::orderNumber(word), 0))
        return false;
    thread.toldOrder = word;
    const wire::Order wanted = header.orders[wire::orderNumber(word) % wire::kOrders];
    if (wanted.samplePeriodBytes != 0) // the same whenever it is done
        tracing.sampledBlocks
            = wire::SampledBlocks(tracing.memory, header.sampledBuckets.load(std::memory_order_acquire));
    thread.follow(word, wanted);
    return true;
}

/// The calling thread's state if this process records now.
ThreadState *recordingThread()
{
    Tracing &tracing = g_tracing;
    if (!tracing.isRecording())
        return nullptr;
    // The thread's state first: from then on nobody takes the shared memory away while the thread is in a hook.
    ThreadState *thread = tracing.thread();
    if (thread == nullptr)
        return nullptr;
    if (tracing.memory.header().order.load(std::memory_order_relaxed) != thread->order) [[unlikely]]
        return takeOrder(*thread) ? thread : nullptr;
    return thread;
}

std::uint64_t asNumber(const void *pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

/// Counts a sample that cannot be followed to its end, and so is not taken.
bool follow(const void *pointer)
{
    if (g_tracing.sampledBlocks.add(asNumber(pointer)))
        return true;
    g_tracing.memory.header().losses.samplesRefused.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void sampleAllocation(ThreadState &thread, wire::RecordType type, const void *pointer, std::size_t size,
    const unwind::NarrowFrame &caller)
{
    thread.lastAllocation = pointer;
    const bool wasTold = type == wire::RecordType::ReallocEnd && thread.reallocWasTold;
    if (!thread.sampler.takes(size) || !follow(pointer)) [[likely]] {
        if (wasTold)
            write(thread, wire::RecordType::ReallocEnd, 0, 0, 0);
        return;
    }
    const wire::RecordType told = wasTold ? wire::RecordType::ReallocEnd : wire::RecordType::Malloc;
    write(thread, told, asNumber(pointer), size, captureStack(thread, caller));
}

void sampleRelease(ThreadState &thread, wire::RecordType type, const void *pointer)
{
    const bool wasFollowed = g_tracing.sampledBlocks.remove(asNumber(pointer));
    const bool isTold = wasFollowed || thread.coverage == Coverage::SampledAndFrees;
    if (type == wire::RecordType::ReallocBegin)
        thread.reallocWasTold = isTold;
    if (isTold)
        write(thread, type, asNumber(pointer), 0,
            (thread.lastAllocation == pointer ? wire::kFreedLast : 0) | (wasFollowed ? wire::kFreedFollowed : 0));
}

} // namespace

void recordAllocation(wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller)
{
    ThreadState *thread = recordingThread();
    if (thread == nullptr)
        return;
    // Mappings and pools are few: each is told.
    const bool isBlock = type == wire::RecordType::Malloc || type == wire::RecordType::ReallocEnd;
    if (thread->coverage != Coverage::All && isBlock)
        sampleAllocation(*thread, type, pointer, size, caller);
    else
        write(*thread, type, asNumber(pointer), size, captureStack(*thread, caller));
}

bool recordRelease(wire::RecordType type, const void *pointer)
{
    ThreadState *thread = recordingThread();
    if (thread == nullptr)
        return false;
    if (thread->coverage != Coverage::All)
        sampleRelease(*thread, type, pointer);
    else
        write(*thread, type, asNumber(pointer), 0, 0);
    return true;
}

void recordReallocFailed(const void *old)
{
    ThreadState *thread = recordingThread();
    if (thread == nullptr || (thread->coverage != Coverage::All && !thread->reallocWasTold))
        return;
    if (thread->coverage != Coverage::All && !follow(old))
        write(*thread, wire::RecordType::ReallocEnd, 0, 0, 0);
    else
        write(*thread, wire::RecordType::ReallocFailed, 0, 0, 0);
}

void recordReallocFreed()
{
    ThreadState *thread = recordingThread();
    if (thread != nullptr && (thread->coverage == Coverage::All || thread->reallocWasTold))
        write(*thread, wire::RecordType::ReallocEnd, 0, 0, 0);
}

void recordPlain(wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
{
    if (ThreadState *thread = recordingThread())
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
