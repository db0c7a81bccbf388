// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/heap_ledger.h"

#include <QtTest>

#include <algorithm>
#include <array>
#include <random>

class HeapLedgerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tickHasWhatHappenedSinceTheLast()
    {
        model::HeapLedger ledger;
        ledger.allocated(7, 100, 1);
        ledger.allocated(8, 50, 2);
        ledger.takeTick();
        ledger.allocated(7, 30, 3);
        ledger.freed({100, 7, 1}, 4, false);
        const auto tick = ledger.takeTick();
        QCOMPARE(tick.rows.size(), std::size_t{1});
        QCOMPARE(tick.rows[0].node, 7u);
        QCOMPARE(tick.rows[0].counts, (model::HeapCounts{1, 30, 1, 100, 0, 0}));
        QCOMPARE(tick.live, (model::HeapLevel{80, 2}));
        QCOMPARE(tick.leastLiveBytes, 80);
        QCOMPARE(tick.mostLiveBytes, 180);
        QVERIFY(ledger.takeTick().rows.empty());
    }

    void binsHoldSizesAndLifetimes()
    {
        model::HeapLedger ledger;
        ledger.allocated(7, 100, 0);
        ledger.freed({100, 7, 0}, 5000, false); // after 5 ms
        const auto tick = ledger.takeTick();
        QCOMPARE(tick.sizes[model::sizeBin(100)].count, 1);
        QCOMPARE(tick.sizes[model::sizeBin(100)].bytes, 100);
        QCOMPARE(tick.lifetimes[12].count, 1); // [4096, 8192) µs
    }

    void lifetimeBinsArePowersOfTwo()
    {
        QCOMPARE(model::lifetimeBin(-5), 0);
        QCOMPARE(model::lifetimeBin(1), 0);
        QCOMPARE(model::lifetimeBin(2), 1);
        QCOMPARE(model::lifetimeBin(1023), 9);
        QCOMPARE(model::lifetimeBin(1024), 10);
        QCOMPARE(model::lifetimeBin(INT64_MAX), 47);
    }

    void peakIsTheFirstHighestMomentWithItsParts()
    {
        model::HeapLedger ledger;
        ledger.allocated(7, 100, 10);
        ledger.allocated(8, 50, 20); // 150: the peak
        ledger.freed({100, 7, 0}, 30, false);
        ledger.allocated(9, 100, 40); // 150 again: not higher
        const auto tick = ledger.takeTick();
        QVERIFY(tick.hasNewPeak);
        QCOMPARE(tick.peak, (model::HeapLevel{150, 2}));
        QCOMPARE(tick.peakTimeNs, 20'000);
        QCOMPARE(tick.peakRows.size(), std::size_t{2});
        QVERIFY(!ledger.takeTick().hasNewPeak);
        ledger.allocated(9, 1, 50); // 151: now 7 has nothing and 9 has it
        const auto next = ledger.takeTick();
        QVERIFY(next.hasNewPeak);
        QCOMPARE(next.peakRows.size(), std::size_t{2}); // 8 is what it was and is not sent again
        QCOMPARE(next.peakRows[0].node, 7u);
        QCOMPARE(next.peakRows[0].level, (model::HeapLevel{0, 0}));
        QCOMPARE(next.peakRows[1].level, (model::HeapLevel{101, 2}));
    }

    void peakAgreesWithASnapshotTakenThere()
    {
        model::HeapLedger ledger;
        constexpr std::uint32_t kNodes = 40;
        std::array<model::HeapLevel, kNodes> live{}, atPeak{}, sent{};
        std::vector<model::LiveBlock> blocks;
        std::int64_t total = 0, highest = 0;
        std::mt19937_64 random(3);
        for (int i = 0; i < 20000; ++i) {
            if (blocks.empty() || random() % 100 < 51) {
                const model::LiveBlock block{random() % 500 + 1, static_cast<std::uint32_t>(random() % kNodes), i};
                blocks.push_back(block);
                ledger.allocated(block.node, block.size, i);
                total += static_cast<std::int64_t>(block.size);
                live[block.node].bytes += static_cast<std::int64_t>(block.size);
                ++live[block.node].blocks;
            } else {
                std::swap(blocks[random() % blocks.size()], blocks.back());
                const model::LiveBlock block = blocks.back();
                blocks.pop_back();
                ledger.freed(block, i, false);
                total -= static_cast<std::int64_t>(block.size);
                live[block.node].bytes -= static_cast<std::int64_t>(block.size);
                --live[block.node].blocks;
            }
            if (total > highest) {
                highest = total;
                atPeak = live;
            }
            if (i % 500 != 0)
                continue;
            for (const auto &row : ledger.takeTick().peakRows)
                sent[row.node] = row.level;
            QCOMPARE(sent, atPeak);
        }
    }

    /// Live is what was allocated and not freed, through a change of what live blocks stand for too.
    void reweighingChangesWhatWasFreed()
    {
        model::HeapLedger ledger;
        for (std::uint32_t node = 1; node <= 3; ++node)
            for (int i = 0; i < 10; ++i)
                ledger.allocated(node, 100, i);
        const model::HeapTickCounts before = ledger.takeTick();
        QCOMPARE(before.live, (model::HeapLevel{3000, 30}));
        ledger.allocated(1, 100, 20);
        ledger.freed({100, 2, 0}, 21, false);
        ledger.beginSampling();
        ledger.reweigh(1, {14, 1400, 3, 300, 512}); // 11 blocks of 100 are now thought to be 25
        ledger.reweigh(2, {-9, -900, 0, 0, 512});   // no sample of its 9 is left
        ledger.endReweighing();
        const model::HeapTickCounts step = ledger.takeTick();
        QCOMPARE(step.live, (model::HeapLevel{3500, 35}));
        QCOMPARE(step.total.frees, std::int64_t{1}); // nobody freed anything else
        QCOMPARE(step.total.allocations, std::int64_t{1});
        std::int64_t live = before.live.blocks;
        for (const auto &row : step.rows) {
            live += row.counts.allocations - row.counts.frees;
            if (row.node == 1) {
                QCOMPARE(row.counts.frees, std::int64_t{-14});
                QCOMPARE(row.sampling.freedVariance, -300.0);
                QCOMPARE(row.sampling.samples, std::int64_t{1});
            }
        }
        QCOMPARE(live, step.live.blocks);
        QCOMPARE(ledger.peak().highest().bytes, std::int64_t{3100}); // a jump of knowledge is no peak
        ledger.freed({100, 1, 0}, {5, 500, 1, 100, 512}, 30, false);
        ledger.freed({100, 3, 0}, 31, false);
        QCOMPARE(ledger.takeTick().live, (model::HeapLevel{2900, 29}));
        ledger.allocated(1, 700, 40); // to 3600: no more above what it was found to be than had been allocated before
        QCOMPARE(ledger.peak().highest().bytes, std::int64_t{3100});
        ledger.allocated(1, 1, 41);
        QCOMPARE(ledger.peak().highest().bytes, std::int64_t{3601});
    }

    void sumsThatDoNotFitComeBack()
    {
        // A hostile target claims 200 blocks of 2^56 bytes: a sum beyond 64 bits.
        constexpr std::uint64_t kBytes = std::uint64_t{1} << 56;
        model::HeapLedger ledger;
        ledger.allocated(7, 5, 0);
        for (int i = 0; i < 200; ++i)
            ledger.allocated(8, kBytes, 0);
        for (int i = 0; i < 200; ++i)
            ledger.freed({kBytes, 8, 0}, 0, true);
        QCOMPARE(ledger.takeTick().live, (model::HeapLevel{5, 1}));
    }
};

QTEST_GUILESS_MAIN(HeapLedgerTest)
#include "heap_ledger_test.moc"
