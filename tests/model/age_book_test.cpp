// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/random.h"
#include "model/heap/heap_ledger.h"

#include <QTest>

#include <map>
#include <vector>

using namespace model;

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

/// A heap of made-up stacks with virtual time, and beside it the truth: when each block was born and died.
class MadeUpHeap
{
public:
    struct Block
    {
        std::uint32_t node = 0;
        std::int64_t birthNs = 0;
        std::int64_t deathNs = INT64_MAX;
    };

    explicit MadeUpHeap(bool isSampling = false)
        : m_ledger(isSampling, Duration{kSecondNs})
    {
    }

    void allocate(std::uint32_t node, std::int64_t timeNs, std::int64_t lifeNs)
    {
        const LiveBlock block{100, node, m_ledger.bornAt(timeNs / 1000)};
        m_ledger.allocated(node, 100, timeNs / 1000);
        m_blocks.push_back({node, timeNs, timeNs + lifeNs});
        m_deaths.emplace(timeNs + lifeNs, block);
    }

    /// Frees what is due, and ends a tick.
    void tick(std::int64_t nowNs)
    {
        while (!m_deaths.empty() && m_deaths.begin()->first < nowNs) {
            m_ledger.freed(m_deaths.begin()->second, m_deaths.begin()->first / 1000, false);
            m_deaths.erase(m_deaths.begin());
        }
        if (m_ledger.advanceAges(nowNs))
            for (auto &[node, ages] : m_ledger.takeAges([](std::uint64_t, std::int64_t) { return true; }))
                m_latest[node] = std::move(ages);
        m_ledger.takeTick();
    }

    HeapLedger &ledger() { return m_ledger; }
    const std::vector<Block> &blocks() const { return m_blocks; }
    bool isFollowed(std::uint32_t node) const { return m_latest.contains(node); }
    StackAges history(std::uint32_t node) const
    {
        StackAges ages = m_latest.at(node);
        if (!bringUpTo(ages, m_ledger.ageClock()))
            qFatal("a history does not fit its clock");
        return ages;
    }

private:
    HeapLedger m_ledger;
    std::vector<Block> m_blocks;
    std::multimap<std::int64_t, LiveBlock> m_deaths;
    std::map<std::uint32_t, StackAges> m_latest;
};

/// The same history, counted from the truth; bucket i is [origin + i·width, + width).
std::vector<AgeBucket> truth(const MadeUpHeap &heap, std::uint32_t node, const StackAges &like, const AgeClock &clock)
{
    std::vector<AgeBucket> buckets(like.buckets.size());
    const auto bucketOf = [&](std::int64_t timeNs) {
        return timeNs < clock.origin.ns ? 0 : (timeNs - clock.origin.ns) / clock.bucket.ns;
    };
    const std::int64_t first = like.firstBucket, end = first + static_cast<std::int64_t>(buckets.size());
    for (const MadeUpHeap::Block &block : heap.blocks()) {
        if (block.node != node)
            continue;
        const std::int64_t born = bucketOf(block.birthNs), died = bucketOf(block.deathNs);
        for (std::int64_t i = std::max(born, first); i < std::min(died, end); ++i) {
            ++buckets[static_cast<std::size_t>(i - first)].liveBlocks;
            buckets[static_cast<std::size_t>(i - first)].liveBytes += 100;
        }
        if (born < first || born >= end)
            continue;
        ++buckets[static_cast<std::size_t>(born - first)].born;
        if (died >= end)
            ++buckets[static_cast<std::size_t>(born - first)].alive;
        else
            ++buckets[static_cast<std::size_t>(died - born)].died;
    }
    return buckets;
}

} // namespace

/// How blocks age, against a count of each single block.
class AgeBookTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsBirthsDeathsAndSurvivorsByAge()
    {
        MadeUpHeap heap;
        Random random(3);
        heap.tick(0);
        for (std::int64_t tick = 1; tick <= 4 * 100; ++tick) {
            for (std::uint32_t node = 1; node <= 3; ++node)
                for (int i = 0; i < 3; ++i)
                    heap.allocate(node, tick * kSecondNs / 4 - 1 - static_cast<std::int64_t>(random.bits() % 100'000),
                        static_cast<std::int64_t>(random.exponential(static_cast<double>(node) * 2e9)));
            heap.tick(tick * kSecondNs / 4);
        }
        for (std::uint32_t node = 1; node <= 3; ++node) {
            const StackAges ages = heap.history(node);
            QCOMPARE(ages.firstBucket, 3u);
            QCOMPARE(ages.buckets.size(), std::size_t{97});
            QVERIFY(ages.buckets == truth(heap, node, ages, heap.ledger().ageClock()));
        }
    }

    void mergesPairsWithoutLosingABlock()
    {
        MadeUpHeap heap;
        Random random(4);
        heap.tick(0);
        for (std::int64_t second = 1; second <= 500; ++second) {
            for (int i = 0; i < 4; ++i)
                heap.allocate(1, second * kSecondNs - 1, static_cast<std::int64_t>(random.exponential(20e9)));
            heap.tick(second * kSecondNs);
        }
        const AgeClock clock = heap.ledger().ageClock();
        QCOMPARE(clock.bucket.ns, 4 * kSecondNs);
        QCOMPARE(clock.buckets, 125u);
        const StackAges ages = heap.history(1);
        const std::vector<AgeBucket> expected = truth(heap, 1, ages, clock);
        std::int64_t died = 0, expectedDied = 0;
        for (std::size_t i = 1; i < expected.size(); ++i) { // in bucket 0 some were born before the history began
            QCOMPARE(ages.buckets[i].born, expected[i].born);
            QCOMPARE(ages.buckets[i].alive, expected[i].alive);
            QCOMPARE(ages.buckets[i].liveBlocks, expected[i].liveBlocks);
            QCOMPARE(ages.buckets[i].liveBytes, expected[i].liveBytes);
            // Ages are known to a bucket as wide as when they died.
            died += ages.buckets[i].died;
            expectedDied += expected[i].died;
            QVERIFY(static_cast<double>(std::abs(died - expectedDied)) < 0.15 * static_cast<double>(expectedDied) + 40);
        }
        std::int64_t all = 0;
        for (const AgeBucket &bucket : ages.buckets)
            all += bucket.born - bucket.alive - bucket.died;
        QCOMPARE(all, std::int64_t{0});
    }

    void noBlockIsCountedInOneBucketAndDiesInAnother()
    {
        // Told of late, and early: stamps around the end of a bucket, in any order.
        MadeUpHeap heap;
        Random random(5);
        heap.tick(0);
        for (std::int64_t second = 1; second <= 60; ++second) {
            for (int i = 0; i < 8; ++i)
                heap.allocate(1, second * kSecondNs + static_cast<std::int64_t>(random.uniform(-5e6, 5e6)), 10'000'000);
            heap.tick(second * kSecondNs);
        }
        heap.tick(62 * kSecondNs);
        heap.tick(63 * kSecondNs);
        for (const AgeBucket &bucket : heap.history(1).buckets)
            QCOMPARE(bucket.alive, std::int64_t{0});
    }

    void followsOnlyStacksThatComeBack()
    {
        MadeUpHeap heap;
        heap.tick(0);
        for (std::int64_t second = 1; second <= 20; ++second) {
            if (second <= 2)
                heap.allocate(1, second * kSecondNs - 1, INT64_MAX / 2); // start-up
            heap.allocate(2, second * kSecondNs - 500, 100);             // never survives a bucket
            heap.allocate(3, second * kSecondNs - 1, INT64_MAX / 2);
            heap.tick(second * kSecondNs);
        }
        QVERIFY(!heap.isFollowed(1));
        QVERIFY(!heap.isFollowed(2));
        QVERIFY(heap.isFollowed(3));
        QCOMPARE(heap.ledger().ageClock().followed, std::int64_t{1});
    }

    void countsWhatFindsNoRoom()
    {
        MadeUpHeap heap;
        heap.tick(0);
        const auto many = static_cast<std::uint32_t>(AgeBook::kMostFollowed) + 10;
        for (std::int64_t second = 1; second <= 6; ++second) {
            for (std::uint32_t node = 1; node <= many; ++node)
                heap.allocate(node, second * kSecondNs - 1, INT64_MAX / 2);
            heap.tick(second * kSecondNs);
        }
        QCOMPARE(heap.ledger().ageClock().followed, static_cast<std::int64_t>(AgeBook::kMostFollowed));
        QCOMPARE(heap.ledger().ageClock().tooMany, std::int64_t{10});
    }

    void makesRoomWhenStacksFallSilent()
    {
        MadeUpHeap heap;
        heap.tick(0);
        for (std::int64_t second = 1; second <= 300; ++second) {
            if (second < 10)
                heap.allocate(1, second * kSecondNs - 1, kSecondNs * 3 / 2);
            heap.allocate(2, second * kSecondNs - 1, kSecondNs * 3 / 2);
            heap.tick(second * kSecondNs);
        }
        QCOMPARE(heap.ledger().ageClock().followed, std::int64_t{1});
        QCOMPARE(heap.history(2).buckets.back().liveBlocks, std::int64_t{2});
    }

    /// Blocks are counted in another way from some moment on: what is known from then on is of blocks from after it, and exact.
    void beginsAnewWhereTheWayOfCountingChanges_data()
    {
        QTest::addColumn<int>("when");
        for (const int when : {2, 5, 33, 143, 144, 145, 200, 299})
            QTest::addRow("after %d s", when) << when;
    }
    void beginsAnewWhereTheWayOfCountingChanges()
    {
        QFETCH(int, when);
        MadeUpHeap heap;
        Random random(5);
        heap.tick(0);
        for (std::int64_t tick = 1; tick <= 4 * 330; ++tick) {
            for (std::uint32_t node = 1; node <= 2; ++node)
                for (int i = 0; i < 3; ++i)
                    heap.allocate(node, tick * kSecondNs / 4 - 1 - static_cast<std::int64_t>(random.bits() % 100'000),
                        static_cast<std::int64_t>(random.exponential(static_cast<double>(node) * 4e9)));
            heap.tick(tick * kSecondNs / 4);
            if (tick == 4 * when + 2)
                heap.ledger().restartAges();
        }
        for (std::uint32_t node = 1; node <= 2; ++node) {
            const StackAges ages = heap.history(node);
            const AgeClock clock = heap.ledger().ageClock();
            const std::int64_t begin = ages.firstBucket * clock.bucket.ns;
            QVERIFY(begin + clock.bucket.ns > when * kSecondNs && begin <= (when + 3) * kSecondNs);
            std::vector<AgeBucket> expected = truth(heap, node, ages, clock);
            std::vector<AgeBucket> found = ages.buckets;
            QCOMPARE(found.size(), expected.size());
            // A bucket that was merged with one from before the change lacks a part of what was born in it; ages of merged buckets are spread.
            std::int64_t born = 0, died = 0, alive = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                QCOMPARE(found[i].liveBlocks, expected[i].liveBlocks);
                born += found[i].born;
                alive += found[i].alive;
                died += found[i].died;
                if (i == 0)
                    QVERIFY(found[i].born <= expected[i].born && found[i].alive <= expected[i].alive);
                else
                    QVERIFY(found[i].born == expected[i].born && found[i].alive == expected[i].alive);
            }
            QCOMPARE(born, alive + died);
        }
    }

    void countsSamplesOnceSamplingBegins()
    {
        HeapLedger ledger(false, Duration{kSecondNs});
        ledger.advanceAges(0);
        const SampleWeight weight{50, 5000, 1, 1, 5000};
        StackAges last;
        std::vector<LiveBlock> live;
        for (std::int64_t second = 1; second <= 12; ++second) {
            const std::int64_t now = second * kSecondNs - 1;
            live.push_back({100, 7, ledger.bornAt(now / 1000)});
            if (second < 6)
                ledger.allocated(7, 100, now / 1000);
            else
                ledger.allocated(7, 100, weight, now / 1000);
            if (second == 5) { // in the middle of a tick: stacks that are known already begin to sample
                ledger.freed(live[0], now / 1000, false);
                ledger.beginSampling();
                ledger.restartAges();
            }
            if (second == 11) {
                ledger.freed(live[1], now / 1000, false);         // of before
                ledger.freed(live[8], weight, now / 1000, false); // of after
            }
            if (ledger.advanceAges(second * kSecondNs))
                for (auto &[node, ages] : ledger.takeAges([](std::uint64_t, std::int64_t) { return true; }))
                    last = ages;
            ledger.takeTick();
        }
        QCOMPARE(last.firstBucket, 5u);
        QCOMPARE(last.buckets.size(), std::size_t{7});
        std::int64_t born = 0, died = 0;
        for (const AgeBucket &bucket : last.buckets) {
            born += bucket.born;
            died += bucket.died;
        }
        QCOMPARE(born, std::int64_t{7});
        QCOMPARE(died, std::int64_t{1});
        QCOMPARE(last.buckets[3].alive, std::int64_t{0});
    }

    void countsSamplesWhereBytesAreSampled()
    {
        HeapLedger ledger(true, Duration{kSecondNs});
        ledger.advanceAges(0);
        std::vector<LiveBlock> live;
        const SampleWeight weight{50, 5000, 1, 1, 5000};
        StackAges last;
        for (std::int64_t second = 1; second <= 10; ++second) {
            live.push_back({100, 7, ledger.bornAt((second * kSecondNs - 1) / 1000)});
            ledger.allocated(7, 100, weight, (second * kSecondNs - 1) / 1000);
            if (second == 9)
                ledger.freed(live[5], weight, (second * kSecondNs - 1) / 1000, false);
            if (ledger.advanceAges(second * kSecondNs))
                for (auto &[node, ages] : ledger.takeAges([](std::uint64_t, std::int64_t) { return true; }))
                    last = ages;
            ledger.takeTick();
        }
        QCOMPARE(last.buckets.size(), std::size_t{7});
        QCOMPARE(last.buckets[2].born, std::int64_t{1});
        QCOMPARE(last.buckets[2].alive, std::int64_t{0});
        QCOMPARE(last.buckets[3].died, std::int64_t{1}); // three buckets later
        QCOMPARE(last.buckets[6].liveBlocks, std::int64_t{9 * 50});
    }
};

QTEST_APPLESS_MAIN(AgeBookTest)
#include "age_book_test.moc"
