// SPDX-License-Identifier: GPL-3.0-or-later
// Stamps that are taken without fences are up to about half a microsecond too early, each by another amount. Threads that hand blocks to each
// other then have events in their rings whose stamps contradict what happened: histories of such threads are made up here, and the books must
// come out as if every stamp were right.
#include "capture/heap/image_channel.h"

#include <QtTest>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using namespace capture;
using wire::RecordType;

namespace {

/// How the threads of a history behave. Times are clock units: about 25 ns.
struct Habits
{
    std::uint32_t threads = 4;
    std::uint32_t addresses = 4;  ///< that the allocator has: few come back at once
    std::uint64_t mostEarly = 20; ///< by how much a stamp may be too early: 0.5 µs
    std::uint64_t handOver
        = 4; ///< how long a block takes at least from one thread to another, by hand or through the allocator
    std::uint64_t longestPause = 12; ///< between two events of a thread
    int handed = 50;                 ///< percent of blocks that another thread frees
    int reallocs = 10;               ///< percent of the events of a thread that owns a block
    std::uint64_t startSpan = 1;     ///< in which its threads start
    bool runsOn = false;             ///< while the recorder drains, too: at each of its looks at the clock
};

/// The target: an allocator, and threads that use it, on virtual time. Each writes records into its ring when the event happens, a free before and an
/// allocation after it, with a stamp that is too early.
class MadeUpTarget
{
public:
    MadeUpTarget(wire::MemoryView view, const Habits &habits, std::uint64_t begin, std::uint64_t seed)
        : m_view(view)
        , m_habits(habits)
        , m_random(seed)
        , m_threads(habits.threads)
        , m_addresses(habits.addresses)
    {
        m_spares.reserve(habits.threads);
        for (Thread &thread : m_threads)
            thread.next = begin + m_random() % habits.startSpan;
        for (std::uint32_t i = 0; i < habits.addresses; ++i)
            m_addresses[i].pointer = 0x5000 + std::uint64_t{i} * 64;
    }

    /// Lets the threads run from the begin or the last call's end, but not from before `begin`, until `end`.
    void run(std::uint64_t begin, std::uint64_t end)
    {
        for (Thread &thread : m_threads)
            thread.next = std::max(thread.next, begin);
        for (;;) {
            auto next = std::min_element(
                m_threads.begin(), m_threads.end(), [](const Thread &a, const Thread &b) { return a.next < b.next; });
            if (next->next >= end)
                return;
            m_now = std::max(m_now, next->next);
            step(*next);
            next->next = m_now + 1 + m_random() % m_habits.longestPause;
        }
    }

    /// Ends the reallocs that threads are in.
    void finish(std::uint64_t units)
    {
        m_now = units;
        for (Thread &thread : m_threads) {
            if (!thread.moved)
                continue;
            if (thread.staysThere) {
                endRealloc(thread, *thread.moved);
                continue;
            }
            Address &spare = m_spares.emplace_back();
            spare.pointer = 0x100000 + m_spares.size() * 64;
            allocate(thread, spare, RecordType::ReallocEnd);
        }
    }

    /// What is live: pointer, and size and node in one number.
    std::map<std::uint64_t, std::uint64_t> live() const
    {
        std::map<std::uint64_t, std::uint64_t> live;
        for (const auto *addresses : {&m_addresses, &m_spares})
            for (const Address &address : *addresses)
                if (address.isLive)
                    live[address.pointer] = address.block;
        return live;
    }
    std::int64_t allocations() const { return m_allocations; }
    std::int64_t allocatedBytes() const { return m_allocatedBytes; }
    std::int64_t frees() const { return m_frees; }
    /// How many events were stamped before something that came before them.
    std::int64_t contradictions() const { return m_contradictions; }

private:
    struct Address
    {
        std::uint64_t pointer = 0;
        bool isLive = false;
        std::uint64_t block = 0; ///< its size and node
        std::size_t user = 0;    ///< the thread that has the block, or that freed it
        std::uint64_t since = 0; ///< when it got it, or freed it
        std::uint64_t stamp = 0; ///< of the address's last event
    };
    struct Thread
    {
        std::uint64_t next = 0; ///< when it does something
        std::uint64_t stamp = 0;
        std::uint64_t written = 0;
        Address *moved = nullptr; ///< it is in a realloc, which began there
        bool staysThere = false;  ///< and which ends there, or fails
    };

    std::size_t indexOf(const Thread &thread) const { return static_cast<std::size_t>(&thread - m_threads.data()); }

    void step(Thread &thread)
    {
        const std::size_t self = indexOf(thread);
        if (thread.moved && thread.staysThere) {
            endRealloc(thread, *std::exchange(thread.moved, nullptr));
            return;
        }
        std::vector<Address *> free, own;
        for (Address &address : m_addresses) {
            const bool isMine = address.user == self;
            const bool isReady = isMine || m_now >= address.since + m_habits.handOver;
            if (!address.isLive && isReady)
                free.push_back(&address);
            if (address.isLive && isMine && m_now >= address.since)
                own.push_back(&address);
        }
        if (thread.moved) {
            if (!free.empty()) {
                thread.moved = nullptr;
                allocate(thread, *free[m_random() % free.size()], RecordType::ReallocEnd);
            }
            return;
        }
        const bool frees = !own.empty() && (free.empty() || m_random() % 2 == 0);
        if (!frees && free.empty())
            return;
        if (!frees) {
            allocate(thread, *free[m_random() % free.size()], RecordType::Malloc);
            return;
        }
        Address &address = *own[m_random() % own.size()];
        if (static_cast<int>(m_random() % 100) < m_habits.reallocs) {
            write(thread, address, RecordType::ReallocBegin);
            thread.moved = &address;
            thread.staysThere = m_random() % 2 == 0;
            if (thread.staysThere) {
                address.user = SIZE_MAX; // nobody's until it ends
                return;
            }
        } else {
            write(thread, address, RecordType::Free);
        }
        ++m_frees;
        address.isLive = false;
        address.since = m_now;
    }

    void endRealloc(Thread &thread, Address &address)
    {
        if (m_random() % 3 == 0) {
            address.user = indexOf(thread);
            write(thread, address, RecordType::ReallocFailed);
            return;
        }
        ++m_frees;
        allocate(thread, address, RecordType::ReallocEnd);
    }

    void allocate(Thread &thread, Address &address, RecordType type)
    {
        address.isLive = true;
        address.block = m_random() % 1000 << 24 | (10 + m_random() % 50);
        address.user = indexOf(thread);
        address.since = m_now;
        ++m_allocations;
        m_allocatedBytes += static_cast<std::int64_t>(address.block >> 24);
        write(thread, address, type);
        if (static_cast<int>(m_random() % 100) < m_habits.handed) { // to another, who has it a moment later
            address.user = m_random() % m_threads.size();
            address.since = m_now + (address.user == indexOf(thread) ? 0 : m_habits.handOver);
        }
    }

    void write(Thread &thread, Address &address, RecordType type)
    {
        const std::uint64_t early = m_random() % (m_habits.mostEarly + 1);
        const std::uint64_t stamp = std::max(thread.stamp, m_now - early);
        m_contradictions += stamp < address.stamp ? 1 : 0;
        address.stamp = stamp;
        const auto slotIndex = static_cast<std::uint32_t>(indexOf(thread));
        wire::ThreadSlot &slot = m_view.slot(slotIndex);
        wire::Record *ring = m_view.ring(slot.ringOffset);
        const auto put = [&](wire::Record record) {
            ring[thread.written % wire::kFirstRingRecords] = record;
            ++thread.written;
        };
        if (thread.stamp == 0) {
            slot.tid.store(1000 + slotIndex);
            slot.state.store(wire::SlotState::Taken);
            slot.serial.store(slotIndex + 1);
            put(wire::Record::time(stamp));
        }
        const bool isBlock = type == RecordType::Malloc || type == RecordType::ReallocEnd;
        put(wire::Record::of(type, address.pointer, isBlock ? address.block >> 24 : 0,
            isBlock ? static_cast<std::uint32_t>(address.block & 0xffffff) : 0,
            thread.stamp == 0 ? 0 : stamp - thread.stamp));
        thread.stamp = stamp;
        slot.head.store(thread.written);
    }

    wire::MemoryView m_view;
    Habits m_habits;
    std::mt19937_64 m_random;
    std::vector<Thread> m_threads;
    std::vector<Address> m_addresses;
    std::vector<Address> m_spares; ///< of which each is used once
    std::uint64_t m_now = 0;
    std::int64_t m_allocations = 0;
    std::int64_t m_allocatedBytes = 0;
    std::int64_t m_frees = 0;
    std::int64_t m_contradictions = 0;
};

/// A recorder with a target of one thread, whose ring a test fills. Time stands still but for drain().
struct OneThread
{
    std::uint64_t now = 1'000'000;
    RecorderClock clock{now};
    ImageChannel channel{std::move(ImageMemory::create(clock.kind(), 1).value()), 1, true};
    wire::ThreadSlot &slot = channel.memory().view().slot(0);
    wire::Record *ring = channel.memory().view().ring(slot.ringOffset);
    std::uint64_t written = 0;

    void put(const wire::Record &record) { ring[written++] = record; }
    /// The thread is seen from now on, and what it has put.
    void publish()
    {
        slot.serial.store(1);
        slot.state.store(wire::SlotState::Taken);
        slot.head.store(written);
    }
    /// As late as what was put has to be applied, or a step further.
    void drain(bool isFinal)
    {
        now += UnsettledBlocks::kSkewUnits + 1;
        channel.drain(clock, isFinal);
    }
};

} // namespace

class StampOrderTest : public QObject
{
    Q_OBJECT

    struct Outcome
    {
        std::int64_t unknown = 0, missed = 0, bad = 0;
        std::int64_t wrongCounts = 0; ///< histories whose allocations, frees or live blocks are not those of the target
        std::int64_t wrongBlocks = 0; ///< at their ends: live where none is, or taken for another
        std::int64_t contradictions = 0;
        std::int64_t events = 0;
    };

    static void live(const Habits &habits, std::uint64_t seed, Outcome &outcome)
    {
        std::uint64_t now = 1'000'000; // moves on a little whenever the recorder looks at it
        std::function<void()> whileDraining;
        const RecorderClock clock(now, [&] {
            if (whileDraining)
                whileDraining();
        });
        auto memory = ImageMemory::create(clock.kind(), 1);
        if (!memory || (habits.threads > (*memory)->slotCount() && !(*memory)->addSlots(habits.threads)))
            qFatal("no memory");
        ImageChannel channel(std::move(*memory), 1, true);
        MadeUpTarget target(channel.memory().view(), habits, now, seed);
        std::mt19937_64 random(seed + 1);
        const auto run = [&] {
            const std::uint64_t end = now + 1 + random() % 400;
            target.run(now, end);
            now = end;
        };
        for (int drain = 0; drain < 12; ++drain) {
            run();
            whileDraining = habits.runsOn ? run : std::function<void()>();
            channel.drain(clock, false);
            whileDraining = nullptr;
        }
        target.finish(now);
        channel.drain(clock, true);
        const PairingLosses losses = channel.pairing().takeLosses();
        outcome.unknown += losses.unknownFrees;
        outcome.missed += losses.missedFrees;
        outcome.bad += losses.badRecords + static_cast<std::int64_t>(channel.takeBadRecords());
        outcome.contradictions += target.contradictions();
        outcome.events += target.allocations() + target.frees();
        const auto truth = target.live();
        std::map<std::uint64_t, std::uint64_t> live;
        std::int64_t bytes = 0;
        channel.pairing().live().forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
            live[pointer] = block.size << 24 | block.node;
            bytes += static_cast<std::int64_t>(block.size);
        });
        const model::HeapTickCounts tick = channel.pairing().ledger().takeTick();
        const auto count = static_cast<std::int64_t>(truth.size());
        const bool areCounted = tick.total.allocations == target.allocations() && tick.total.frees == target.frees()
            && tick.total.allocatedBytes == target.allocatedBytes() && tick.live.blocks == count
            && tick.live.bytes == bytes;
        outcome.wrongCounts += areCounted ? 0 : 1;
        for (const auto &[pointer, block] : truth) {
            const auto it = live.find(pointer);
            outcome.wrongBlocks += it == live.end() || it->second != block ? 1 : 0;
        }
        for (const auto &[pointer, block] : live)
            outcome.wrongBlocks += truth.count(pointer) == 0 ? 1 : 0;
    }

    static Outcome liveMany(const Habits &habits, int histories)
    {
        Outcome outcome;
        for (int i = 0; i < histories; ++i)
            live(habits, static_cast<std::uint64_t>(i) * 1000 + habits.threads, outcome);
        return outcome;
    }

    /// GENESIS_TEST_HISTORIES: how many of each kind.
    static int histories()
    {
        const int wanted = qEnvironmentVariableIntValue("GENESIS_TEST_HISTORIES");
        return wanted > 0 ? wanted : 60;
    }

private Q_SLOTS:
    void booksAreRightWhateverTheStampsSay_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("addresses");
        QTest::addColumn<int>("handOver");
        QTest::addColumn<int>("handed");
        QTest::addColumn<int>("reallocs");
        QTest::newRow("two threads that hand over at once") << 2 << 3 << 1 << 60 << 0;
        QTest::newRow("two threads that reallocate too") << 2 << 3 << 1 << 60 << 30;
        QTest::newRow("three threads") << 3 << 4 << 10 << 50 << 10;
        QTest::newRow("four threads and one address") << 4 << 1 << 10 << 80 << 10;
        QTest::newRow("fifty threads") << 50 << 40 << 10 << 50 << 10;
        QTest::newRow("eight threads and as many addresses as they like") << 8 << 400 << 4 << 50 << 10;
    }
    void booksAreRightWhateverTheStampsSay()
    {
        QFETCH(int, threads);
        QFETCH(int, addresses);
        QFETCH(int, handOver);
        QFETCH(int, handed);
        QFETCH(int, reallocs);
        Habits habits;
        habits.threads = static_cast<std::uint32_t>(threads);
        habits.addresses = static_cast<std::uint32_t>(addresses);
        habits.handOver = static_cast<std::uint64_t>(handOver);
        habits.handed = handed;
        habits.reallocs = reallocs;
        const Outcome outcome = liveMany(habits, histories());
        QVERIFY(outcome.contradictions > outcome.events / 2000);
        QCOMPARE(outcome.unknown, 0);
        QCOMPARE(outcome.missed, 0);
        QCOMPARE(outcome.bad, 0);
        QCOMPARE(outcome.wrongCounts, 0);
        // Which block is the last at an address that goes from hand to hand about as fast as stamps are wrong cannot always be told, and what had been
        // paired before its events contradicted each other stays so: that is all that may go wrong, and seldom.
        QVERIFY(outcome.wrongBlocks * 200 <= outcome.contradictions);
    }

    /// Between any two things that the recorder does, time may pass.
    void threadsThatStartWhileItDrainsAreSeenInTime()
    {
        Habits habits;
        habits.threads = 50;
        habits.addresses = 100;
        habits.startSpan = 4000;
        habits.runsOn = true;
        const Outcome outcome = liveMany(habits, histories() / 4);
        QVERIFY(outcome.contradictions > outcome.events / 2000);
        QCOMPARE(outcome.unknown + outcome.missed + outcome.bad + outcome.wrongCounts, 0);
        QVERIFY(outcome.wrongBlocks * 200 <= outcome.contradictions);
    }

    void rightStampsGiveRightBlocks()
    {
        Habits habits;
        habits.mostEarly = 0;
        const Outcome outcome = liveMany(habits, histories());
        QCOMPARE(outcome.contradictions, 0);
        QCOMPARE(outcome.unknown + outcome.missed + outcome.bad + outcome.wrongCounts + outcome.wrongBlocks, 0);
    }

    void freeWithoutAnAllocationIsCountedOnceNoneCanCome()
    {
        OneThread one;
        one.put(wire::Record::time(one.now));
        one.put(wire::Record::of(RecordType::Free, 64, 0, 0, 0));
        one.publish();
        one.drain(false);
        QVERIFY(!one.channel.pairing().isSettled());
        QCOMPARE(one.channel.pairing().takeLosses().unknownFrees, 0);
        one.drain(false);
        QVERIFY(one.channel.pairing().isSettled());
        QCOMPARE(one.channel.pairing().takeLosses().unknownFrees, 1);
    }

    /// As a hostile target does it.
    void timesThatGoBackCountAsOfWhatIsInWork()
    {
        OneThread one;
        for (std::uint64_t i = 0; i < 100; ++i) {
            one.put(wire::Record::time(i % 2 == 0 ? one.now - i : i));
            one.put(wire::Record::of(RecordType::Malloc, 64 + 64 * i, 10, 20, 0));
            one.put(wire::Record::of(RecordType::Free, 64 + 64 * i, 0, 0, 1));
        }
        one.publish();
        one.drain(true);
        const model::HeapTickCounts tick = one.channel.pairing().ledger().takeTick();
        QCOMPARE(tick.total.allocations, std::int64_t{100});
        QCOMPARE(tick.total.frees, std::int64_t{100});
        QCOMPARE(tick.live, (model::HeapLevel{0, 0}));
    }

    /// As a hostile target does it.
    void addressThatIsAllocatedOverAndOverIsSettledOnTheWay()
    {
        OneThread one;
        constexpr std::uint32_t kBlocks = 1000;
        one.put(wire::Record::time(one.now));
        for (std::uint32_t i = 0; i < kBlocks; ++i)
            one.put(wire::Record::of(RecordType::Malloc, 64, 10, 20, 0));
        one.publish();
        one.drain(false);
        QVERIFY(one.channel.pairing().takeLosses().missedFrees > kBlocks / 2);
        one.channel.drain(one.clock, true);
        const model::HeapTickCounts tick = one.channel.pairing().ledger().takeTick();
        QCOMPARE(tick.total.allocations, std::int64_t{kBlocks});
        QCOMPARE(tick.live, (model::HeapLevel{10, 1}));
    }

    /// What a stamp stands for ends between the time up to which events are taken and the look at the rings: see ImageChannel::drain().
    void theHeartbeatChangesBeforeRingsAreLookedAt()
    {
        const wire::Header *header = nullptr;
        std::vector<std::uint64_t> beats; // at each look at the clock
        std::uint64_t now = 1'000'000;
        const RecorderClock clock(now, [&] {
            if (header)
                beats.push_back(header->heartbeat.load());
        });
        ImageChannel channel{std::move(ImageMemory::create(clock.kind(), 1).value()), 1, true};
        header = &channel.memory().view().header();
        const std::uint64_t before = header->heartbeat.load();
        channel.drain(clock, false);
        QVERIFY(beats.size() >= 3);
        QCOMPARE(beats[1], before);  // the time up to which events are taken
        QVERIFY(beats[2] != before); // of the look for new rings
    }
};

QTEST_GUILESS_MAIN(StampOrderTest)
#include "stamp_order_test.moc"
