// SPDX-License-Identifier: GPL-3.0-or-later
// What the recorder's part of a heap event costs: events like those of alloc_storm, made up and written into rings, are read out of them, merged,
// paired and counted. CPU time of a malloc/free pair, without the target, its caches and the wake-ups. Instructions:
//   valgrind --tool=callgrind --toggle-collect='capture::ImageChannel::drain*' heap_drain_bench
#include "capture/heap/image_channel.h"

#include <QtTest>

#include <time.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

using namespace capture;
using wire::RecordType;

namespace {

constexpr int kRounds = 5;
constexpr std::size_t kPairs = 4'000'000;  ///< of all threads: enough for the tables' growth not to matter
constexpr std::uint64_t kPassUnits = 2000; ///< between two drains: 50 µs, as much as fits into a ring

double threadCpuNs()
{
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// What threads do that free a block and allocate another one, over and over. Times are clock units of 25 ns.
class Storm
{
public:
    /// `isShared`: all threads use the same slots, so that nearly every block is freed by another thread than the one that made it.
    Storm(std::uint32_t threads, std::size_t pairs, std::size_t slots, bool isShared)
        : m_threads(threads)
        , m_slots(slots)
        , m_live(isShared ? slots : slots * threads)
        , m_isShared(isShared)
    {
        for (std::size_t event = 0; event < pairs * 2 * threads; ++event) {
            const auto next = std::min_element(
                m_threads.begin(), m_threads.end(), [](const Thread &a, const Thread &b) { return a.now < b.now; });
            step(*next);
        }
    }

    struct Event
    {
        std::uint64_t units = 0;
        wire::Record record;
    };
    const std::vector<Event> &eventsOf(std::size_t thread) const { return m_threads[thread].events; }

private:
    struct Thread
    {
        std::uint64_t now = 1;
        std::uint64_t last = 0; ///< when its last event was
        std::size_t slot = 0;
        bool hasFreed = false;
        std::map<std::uint64_t, std::vector<std::uint64_t>> spare; ///< addresses by size
        std::vector<Event> events;
    };
    struct Block
    {
        std::uint64_t pointer = 0;
        std::uint64_t size = 0;
    };

    void step(Thread &thread)
    {
        const auto index = static_cast<std::size_t>(&thread - m_threads.data());
        if (!thread.hasFreed) {
            thread.slot = m_random() % m_slots + (m_isShared ? 0 : index * m_slots);
            Block &old = m_live[thread.slot];
            if (old.pointer != 0) {
                write(thread, RecordType::Free, old.pointer, 0, 0);
                thread.spare[old.size / 16].push_back(old.pointer);
                old = {};
            }
            thread.now += 1 + m_random() % 2;
            thread.hasFreed = true;
            return;
        }
        thread.hasFreed = false;
        thread.now += 1 + m_random() % 3;
        if (m_live[thread.slot].pointer != 0)
            return; // another thread was faster
        const std::uint64_t kind = m_random() % 1024;
        const std::uint64_t size = kind == 0 ? 65536
            : kind < 32                      ? 1024 + m_random() % 4096
                                             : 16 + m_random() % 256 * ((kind & 3) != 0 ? 1 : 4);
        std::vector<std::uint64_t> &spare = thread.spare[size / 16];
        if (spare.empty()) {
            const std::uint64_t arena = 0x7f0000000000 + (std::uint64_t{index} << 28);
            spare.push_back(arena + (thread.events.size() == 0 ? 16 : 0) + m_used);
            m_used += size + 32 - size % 16;
        }
        m_live[thread.slot] = {spare.back(), size};
        spare.pop_back();
        const auto node = static_cast<std::uint32_t>(10 + m_random() % 200 * 5);
        write(thread, RecordType::Malloc, m_live[thread.slot].pointer, size, node);
    }

    static void write(Thread &thread, RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
    {
        const std::uint64_t delta = thread.last == 0 ? 0 : thread.now - thread.last;
        thread.events.push_back({thread.now, wire::Record::of(type, pointer, size, node, delta)});
        thread.last = thread.now;
    }

    std::mt19937_64 m_random{1};
    std::vector<Thread> m_threads;
    std::size_t m_slots;
    std::vector<Block> m_live;
    bool m_isShared;
    std::uint64_t m_used = 0;
};

/// Writes the events into the rings of a channel as time goes on.
class Playback
{
public:
    Playback(const Storm &storm, ImageChannel &channel, std::uint32_t threads, std::uint64_t begin)
        : m_storm(storm)
        , m_view(channel.memory().view())
        , m_begin(begin)
        , m_threads(threads)
    {
        for (std::uint32_t i = 0; i < threads; ++i) {
            wire::ThreadSlot &slot = m_view.slot(i);
            slot.tid.store(1000 + i);
            slot.serial.store(i + 1);
            slot.state.store(wire::SlotState::Taken);
            put(i, wire::Record::time(begin + storm.eventsOf(i).front().units));
        }
    }

    /// What happens until `end`, as far as there is room; false if nothing is left.
    bool writeUntil(std::uint64_t end)
    {
        bool isLeft = false;
        for (std::uint32_t i = 0; i < m_threads.size(); ++i) {
            const std::vector<Storm::Event> &events = m_storm.eventsOf(i);
            Thread &thread = m_threads[i];
            const std::uint64_t tail = m_view.slot(i).tail.load();
            while (thread.next < events.size() && m_begin + events[thread.next].units < end
                && thread.written - tail < wire::kFirstRingRecords)
                put(i, events[thread.next++].record);
            m_view.slot(i).head.store(thread.written);
            isLeft = isLeft || thread.next < events.size();
        }
        return isLeft;
    }

private:
    struct Thread
    {
        std::size_t next = 0;
        std::uint64_t written = 0;
    };

    void put(std::uint32_t thread, const wire::Record &record)
    {
        wire::Record *ring = m_view.ring(m_view.slot(thread).ringOffset);
        ring[m_threads[thread].written++ % wire::kFirstRingRecords] = record;
    }

    const Storm &m_storm;
    wire::MemoryView m_view;
    std::uint64_t m_begin;
    std::vector<Thread> m_threads;
};

} // namespace

class HeapDrainBench : public QObject
{
    Q_OBJECT

    /// CPU time of reading all of it, in nanoseconds.
    static double drainAll(const Storm &storm, std::uint32_t threads)
    {
        std::uint64_t now = 1'000'000; // moves on a little whenever the recorder looks at it
        const RecorderClock clock(now);
        auto memory = ImageMemory::create(clock.kind(), 1);
        if (!memory || (threads > (*memory)->slotCount() && !(*memory)->addSlots(threads)))
            qFatal("no memory");
        ImageChannel channel(std::move(*memory), 1, true);
        Playback playback(storm, channel, threads, now);
        double cpuNs = 0;
        for (bool isLeft = true; isLeft;) {
            now += kPassUnits;
            isLeft = playback.writeUntil(now);
            const double before = threadCpuNs();
            channel.drain(clock, !isLeft);
            cpuNs += threadCpuNs() - before;
        }
        std::int64_t events = 0;
        for (std::uint32_t i = 0; i < threads; ++i)
            events += static_cast<std::int64_t>(storm.eventsOf(i).size());
        const model::HeapTickCounts tick = channel.pairing().ledger().takeTick();
        const PairingLosses losses = channel.pairing().takeLosses();
        if (tick.total.allocations + tick.total.frees != events || losses.unknownFrees + losses.missedFrees != 0)
            qFatal("%lld of %lld events were counted",
                static_cast<long long>(tick.total.allocations + tick.total.frees), static_cast<long long>(events));
        return cpuNs / (static_cast<double>(events) / 2);
    }

private Q_SLOTS:
    void pair_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("slots");
        QTest::addColumn<bool>("isShared");
        QTest::newRow("1 thread") << 1 << 50'000 << false;
        QTest::newRow("2 threads") << 2 << 50'000 << false;
        QTest::newRow("4 threads") << 4 << 50'000 << false;
        QTest::newRow("16 threads") << 16 << 10'000 << false;
        QTest::newRow("2 threads that hand blocks over") << 2 << 50'000 << true;
        QTest::newRow("2 threads that hand few blocks over") << 2 << 16 << true;
    }
    void pair()
    {
        QFETCH(int, threads);
        QFETCH(int, slots);
        QFETCH(bool, isShared);
        const auto count = static_cast<std::uint32_t>(threads);
        const Storm storm(count, kPairs / count, static_cast<std::size_t>(slots), isShared);
        std::vector<double> ns;
        for (int round = 0; round < kRounds; ++round)
            ns.push_back(drainAll(storm, count));
        std::sort(ns.begin(), ns.end());
        QVERIFY(ns.front() > 0);
        qInfo("%.1f ns a pair (%.1f to %.1f)", ns[kRounds / 2], ns.front(), ns.back());
    }
};

QTEST_GUILESS_MAIN(HeapDrainBench)
#include "heap_drain_bench.moc"
