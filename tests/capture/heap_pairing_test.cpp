// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"
#include "capture/heap/image_memory.h"

#include <QtTest>

#include <random>
#include <vector>

using namespace capture;
using wire::RecordType;
using Missing = EventPairing::Missing;
using Verdict = EventPairing::Verdict;

namespace {

HeapEvent eventOf(RecordType type, std::uint64_t pointer, std::uint64_t size = 0, std::uint32_t node = 10)
{
    return {type, node, pointer, size, 0};
}

} // namespace

class HeapPairingTest : public QObject
{
    Q_OBJECT

    EventPairing m_pairing;
    ThreadHistory m_a, m_b;

    Verdict apply(const HeapEvent &what, ThreadHistory &thread, Missing missing = Missing::Wait)
    {
        return m_pairing.apply(what, 5, thread, missing);
    }

    std::unique_ptr<ImageMemory> sampledMemory()
    {
        auto memory = ImageMemory::create(wire::Clock::Tsc, 0);
        if (!memory || !(*memory)->provideSampledBlocks(kPeriod, 0))
            qFatal("no memory");
        m_followed = (*memory)->sampledBlocks();
        return std::move(*memory);
    }

    /// From every event to samples, both threads having told all that they recorded before.
    void step()
    {
        m_pairing.setFollowed(m_followed);
        m_pairing.addOrder(kPeriod, true, 0);
        apply(eventOf(RecordType::Order, 0, m_pairing.lastOrder()), m_a);
        m_pairing.thin(m_followed, 1, {&m_a, &m_b});
        m_pairing.addOrder(kPeriod, false, 0);
    }

    static constexpr std::uint64_t kPeriod = 1024;
    wire::SampledBlocks m_followed;

private Q_SLOTS:
    void largeTablesLieWhereHugePagesCan()
    {
        std::pmr::vector<std::uint64_t> numbers(hugePages());
        for (std::uint64_t i = 0; i < 1'000'000; ++i) // 2 MiB and more from somewhere on
            numbers.push_back(i);
        QVERIFY(numbers.front() == 0 && numbers[numbers.size() / 2] == 500'000 && numbers.back() == 999'999);
        QCOMPARE(reinterpret_cast<std::uintptr_t>(numbers.data()) % (std::uintptr_t{2} << 20), std::uintptr_t{0});
    }

    void init()
    {
        m_pairing = {};
        m_a = {};
        m_b = {};
    }

    void pairsAMallocWithItsFree()
    {
        QCOMPARE(apply(eventOf(RecordType::Malloc, 64, 100), m_a), Verdict::Applied);
        QCOMPARE(m_pairing.live().size(), std::size_t{1});
        QCOMPARE(apply(eventOf(RecordType::Free, 64), m_b), Verdict::Applied);
        QCOMPARE(m_pairing.live().size(), std::size_t{0});
        const auto tick = m_pairing.ledger().takeTick();
        QCOMPARE(tick.total, (model::HeapCounts{1, 100, 1, 100, 0, 0}));
    }

    void freeOfABlockNotSeenYetWaits()
    {
        QCOMPARE(apply(eventOf(RecordType::Free, 64), m_b), Verdict::MustWait);
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        QCOMPARE(apply(eventOf(RecordType::Free, 64), m_b), Verdict::Applied);
        QCOMPARE(m_pairing.takeLosses().unknownFrees, 0);
    }

    void mallocAtALiveAddressWaitsForItsFree()
    {
        apply(eventOf(RecordType::Malloc, 64, 100, 10), m_a);
        QCOMPARE(apply(eventOf(RecordType::Malloc, 64, 7, 11), m_b), Verdict::MustWait);
        apply(eventOf(RecordType::Free, 64), m_a);
        QCOMPARE(apply(eventOf(RecordType::Malloc, 64, 7, 11), m_b), Verdict::Applied);
        const auto tick = m_pairing.ledger().takeTick();
        QCOMPARE(tick.total, (model::HeapCounts{2, 107, 1, 100, 1, 100}));
    }

    void whatWasLostIsCounted()
    {
        QCOMPARE(apply(eventOf(RecordType::Free, 64), m_a, Missing::Accept), Verdict::Applied);
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        QCOMPARE(apply(eventOf(RecordType::Malloc, 64, 7), m_a, Missing::Accept), Verdict::Applied);
        const PairingLosses losses = m_pairing.takeLosses();
        QCOMPARE(losses.unknownFrees, 1);
        QCOMPARE(losses.missedFrees, 1);
        QCOMPARE(m_pairing.ledger().takeTick().live.bytes, 7);
        QCOMPARE(m_pairing.takeLosses().unknownFrees, 0);
    }

    void reallocIsOneFreeAndOneAllocation()
    {
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        apply(eventOf(RecordType::ReallocBegin, 64), m_a);
        // The address may be another's before the realloc's end is seen.
        QCOMPARE(apply(eventOf(RecordType::Malloc, 64, 1), m_b), Verdict::Applied);
        QCOMPARE(apply(eventOf(RecordType::ReallocEnd, 128, 200), m_a), Verdict::Applied);
        const auto tick = m_pairing.ledger().takeTick();
        QCOMPARE(tick.total.allocations, 3);
        QCOMPARE(tick.total.frees, 1);
        QCOMPARE(tick.live.bytes, 201);
    }

    void failedReallocKeepsTheBlock()
    {
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        apply(eventOf(RecordType::ReallocBegin, 64), m_a);
        apply(eventOf(RecordType::ReallocFailed, 0), m_a);
        QCOMPARE(apply(eventOf(RecordType::Free, 64), m_a), Verdict::Applied);
        QCOMPARE(m_pairing.ledger().takeTick().total, (model::HeapCounts{1, 100, 1, 100, 1, 100}));
    }

    void reallocToNothingIsAFree()
    {
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        apply(eventOf(RecordType::ReallocBegin, 64), m_a);
        apply(eventOf(RecordType::ReallocEnd, 0), m_a);
        QCOMPARE(m_pairing.ledger().takeTick().live, (model::HeapLevel{0, 0}));
    }

    void threadThatDiesInAReallocKeepsItsBlock()
    {
        apply(eventOf(RecordType::Malloc, 64, 100), m_a);
        apply(eventOf(RecordType::ReallocBegin, 64), m_a);
        m_pairing.endThread(m_a, 0);
        QVERIFY(m_pairing.live().contains(64));
        QCOMPARE(m_pairing.ledger().takeTick().live, (model::HeapLevel{100, 1}));
    }

    void temporaryIsFreedBeforeItsThreadAllocatesAgain()
    {
        apply(eventOf(RecordType::Malloc, 64, 1), m_a);
        apply(eventOf(RecordType::Malloc, 128, 1), m_b); // another thread's does not count
        apply(eventOf(RecordType::Free, 64), m_a);
        apply(eventOf(RecordType::Malloc, 192, 1), m_a);
        apply(eventOf(RecordType::Malloc, 256, 1), m_a);
        apply(eventOf(RecordType::Free, 192), m_a); // not the last one
        QCOMPARE(m_pairing.ledger().takeTick().total.temporaries, 1);
    }

    /// A block is kept although its free, which is not read yet, was written before. The entry that stays behind is found by the free of a
    /// block that was not sampled; then a sampled one gets the address. Each free is told, and none takes what is another's.
    void blockThatWasFreedBeforeItWasKeptLeavesNothingBehind()
    {
        constexpr std::uint64_t kPointer = 4096;
        const auto memory = sampledMemory();
        const wire::SampledBlocks &set = memory->sampledBlocks();
        apply(eventOf(RecordType::Malloc, kPointer, 1 << 20), m_a); // as large as a thousand periods: it is kept
        step();
        QCOMPARE(m_pairing.live().size(), std::size_t{1});
        // In the target: the free that is on its way; then an allocation that is not sampled, and its free.
        HeapEvent itsFree = eventOf(RecordType::Free, kPointer, 0, 0);
        HeapEvent leftOver = eventOf(RecordType::Free, kPointer, 0, set.remove(kPointer));
        QCOMPARE(leftOver.node, wire::kFreedKept);
        QVERIFY(set.add(kPointer)); // the sampled one
        QCOMPARE(apply(itsFree, m_a), Verdict::Applied);
        QVERIFY(m_pairing.expectsUnknown(leftOver, m_b));
        QCOMPARE(apply(leftOver, m_b, Missing::Accept), Verdict::Applied);
        QCOMPARE(apply(eventOf(RecordType::Malloc, kPointer, 1 << 20), m_a), Verdict::Applied);
        const HeapEvent last = eventOf(RecordType::Free, kPointer, 0, set.remove(kPointer));
        QCOMPARE(last.node, wire::kFreedFollowed);
        QCOMPARE(apply(last, m_b), Verdict::Applied);
        QCOMPARE(m_pairing.live().size(), std::size_t{0});
        QCOMPARE(set.remove(kPointer), 0u);
        const PairingLosses losses = m_pairing.takeLosses();
        QCOMPARE(losses.unknownFrees + losses.missedFrees + losses.badRecords + losses.overtaken, 0);
        QCOMPARE(m_pairing.ledger().takeTick().live, (model::HeapLevel{0, 0}));
    }

    void reallocThatAStepFellIntoEndsOrFails()
    {
        for (const bool fails : {true, false}) {
            init();
            const auto memory = sampledMemory();
            const wire::SampledBlocks &set = memory->sampledBlocks();
            apply(eventOf(RecordType::Malloc, 4096, 1 << 20), m_a);
            apply(eventOf(RecordType::ReallocBegin, 4096, 0, 0), m_a);
            step();
            apply(eventOf(fails ? RecordType::ReallocFailed : RecordType::ReallocEnd, 0), m_a);
            QCOMPARE(m_pairing.live().size(), std::size_t{fails ? 1U : 0U});
            QCOMPARE(set.remove(4096), fails ? wire::kFreedKept : 0U);
        }
    }

    void theShortWayCountsAsTheLongOne()
    {
        EventPairing longWay;
        std::mt19937_64 random(3);
        const auto count = [](const model::HeapTickCounts &tick) {
            std::vector<std::int64_t> all{tick.live.bytes, tick.live.blocks, tick.leastLiveBytes, tick.mostLiveBytes,
                tick.peak.bytes, tick.peakTimeNs};
            const auto add = [&](const model::HeapCounts &counts) {
                all.insert(all.end(),
                    {counts.allocations, counts.allocatedBytes, counts.frees, counts.freedBytes, counts.temporaries,
                        counts.temporaryBytes});
            };
            add(tick.total);
            for (const auto &row : tick.rows)
                add(row.counts);
            for (const auto &row : tick.peakRows)
                all.insert(all.end(), {row.node, row.level.bytes, row.level.blocks});
            for (const auto &bin : tick.sizes)
                all.insert(all.end(), {bin.count, bin.bytes});
            for (const auto &bin : tick.lifetimes)
                all.insert(all.end(), {bin.count, bin.bytes});
            return all;
        };
        int refused = 0;
        for (std::int64_t i = 0; i < 50000; ++i) {
            const auto type = random() % 2 == 0 ? RecordType::Malloc : RecordType::Free;
            const HeapEvent event = eventOf(type, 4096 + random() % 64 * 16, random() % 3000 << random() % 12,
                static_cast<std::uint32_t>(random() % 40));
            const std::int64_t timeUs = i * i;
            ThreadHistory &thread = random() % 2 == 0 ? m_a : m_b;
            ThreadHistory copy = thread;
            QVERIFY(m_pairing.isPlain());
            const bool isApplied = m_pairing.applyPlainly(event, timeUs, thread);
            QCOMPARE(longWay.apply(event, timeUs, copy, Missing::Wait) == Verdict::Applied, isApplied);
            QCOMPARE(copy.lastAllocation, thread.lastAllocation);
            refused += isApplied ? 0 : 1;
            if (i % 1000 == 0)
                QCOMPARE(count(m_pairing.ledger().takeTick()), count(longWay.ledger().takeTick()));
        }
        QVERIFY(refused > 1000 && refused < 49000);
        QCOMPARE(m_pairing.live().size(), longWay.live().size());
    }

    void otherEventsAndOrdersAreNotForTheShortWay()
    {
        QVERIFY(!m_pairing.applyPlainly(eventOf(RecordType::ReallocBegin, 64), 0, m_a));
        QVERIFY(!EventPairing(4096).isPlain());
        const auto memory = sampledMemory();
        m_pairing.setFollowed(m_followed);
        m_pairing.addOrder(kPeriod, true, 0);
        QVERIFY(!m_pairing.isPlain());
    }

    void freeOfASampledBlockWaitsForItsAllocation()
    {
        const auto memory = sampledMemory();
        step();
        apply(eventOf(RecordType::Order, 0, m_pairing.lastOrder()), m_b);
        const HeapEvent early = eventOf(RecordType::Free, 4096, 0, wire::kFreedFollowed);
        QVERIFY(!m_pairing.expectsUnknown(early, m_b));
        QCOMPARE(apply(early, m_b), Verdict::MustWait);
    }
};

QTEST_GUILESS_MAIN(HeapPairingTest)
#include "heap_pairing_test.moc"
