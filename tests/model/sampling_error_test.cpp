// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/sampling_error.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>
#include <random>
#include <vector>

using namespace model;
using tests::SnapshotBuilder;

namespace {

constexpr std::uint64_t kPeriod = 512 * 1024;

/// Blocks of one stack, and how many of them are still there.
struct Part
{
    std::uint64_t size = 0;
    int blocks = 0, live = 0;
};
using Parts = std::vector<Part>;

/// What is known of a stack after its blocks were sampled.
HeapCost sampled(const Part &part, std::mt19937_64 &random)
{
    const SampleWeights weights(kPeriod);
    const double p = -std::expm1(-static_cast<double>(std::max(part.size, kLeastSampledBytes)) / kPeriod);
    const int live = std::binomial_distribution<int>(part.live, p)(random);
    const int all = live + std::binomial_distribution<int>(part.blocks - part.live, p)(random);
    HeapCost cost;
    for (int i = 0; i < all; ++i) {
        const SampleWeight weight = weights.of(random() % 100'000'000 * 16, {part.size, 1, i});
        ++cost.samples;
        cost.allocations += weight.blocks, cost.allocationVariance += weight.blockVariance;
        cost.allocatedBytes += weight.bytes, cost.allocatedVariance += weight.byteVariance;
        if (i >= live)
            continue;
        cost.liveBlocks += weight.blocks, cost.liveBlockVariance += weight.blockVariance;
        cost.liveBytes += weight.bytes, cost.liveVariance += weight.byteVariance;
    }
    return cost;
}

} // namespace
Q_DECLARE_METATYPE(Parts)

class SamplingErrorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Also where what is live, or most of the blocks, is of stacks that were hardly ever sampled.
    void intervalsOfTheWholeHoldTheTruth_data()
    {
        QTest::addColumn<Parts>("parts");
        QTest::addRow("much, of small blocks") << Parts{{100, 2'000'000, 1'000'000}};
        QTest::addRow("a little lost, much temporary") << Parts{{100, 1000, 1000}, {5000, 500, 0}, {10 << 20, 1, 0}};
        QTest::addRow("two periods") << Parts{{1000, 1000, 1000}};
        QTest::addRow("many tiny beside few large") << Parts{{8, 20'000, 20'000}, {1 << 20, 40, 20}};
        QTest::addRow("nothing") << Parts{{8, 1, 0}};
    }

    void intervalsOfTheWholeHoldTheTruth()
    {
        QFETCH(Parts, parts);
        std::int64_t truth[4] = {};
        for (const Part &part : parts) {
            const auto size = static_cast<std::int64_t>(part.size);
            truth[0] += part.live * size, truth[1] += part.live;
            truth[2] += part.blocks * size, truth[3] += part.blocks;
        }
        constexpr int kRuns = 300;
        int held[4] = {};
        std::mt19937_64 random(20261127);
        for (int run = 0; run < kRuns; ++run) {
            SnapshotBuilder builder;
            builder.raw().info.config.heap = HeapMode::Sampled;
            builder.raw().info.config.heapPeriodBytes = kPeriod;
            for (const Part &part : parts)
                if (const HeapCost cost = sampled(part, random); cost.samples > 0)
                    builder.raw().heap.push_back(cost);
            for (std::size_t i = 0; i < 4; ++i) {
                const auto interval = errorOf(builder.raw(), kCostsWithError[i]);
                held[i] += interval && interval->low <= truth[i] && truth[i] <= interval->high ? 1 : 0;
            }
        }
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY2(
                held[i] >= kRuns * 92 / 100, qPrintable(QStringLiteral("%1: %2 of %3").arg(i).arg(held[i]).arg(kRuns)));
    }

    void saysNothingOfAnExactHeap()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 64");
        QVERIFY(!errorOf(builder.build(), CostKind::Live));
        QVERIFY(!errorOf(builder.build().heap.at(0), CostKind::Live, 1));
    }

    void thePeakIsAsSureAsWhatWasSampledByThen()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 1000000");
        Snapshot snapshot = builder.build();
        snapshot.heapModes = {{{}, {0}, 1, HeapModeCause::Begin}, {{}, {500}, 1024, HeapModeCause::User}};
        snapshot.span = {{0}, {1000}};
        snapshot.heap.at(0).liveVariance = 1e8;
        snapshot.heapSummary.liveBytes = snapshot.heapSummary.peakBytes = snapshot.heap.at(0).liveBytes;
        snapshot.heapSummary.peakWhen = {400}; // all was recorded in full until then
        QVERIFY(!isPeakSampled(snapshot) && !peakError(snapshot));
        snapshot.heapSummary.peakWhen = {600};
        const auto live = errorOf(snapshot, CostKind::Live), peak = peakError(snapshot);
        QVERIFY(isPeakSampled(snapshot) && live && peak);
        QCOMPARE(peak->low, live->low);
        QCOMPARE(peak->high, live->high);
        snapshot.heapSummary.peakBytes *= 2;
        QVERIFY(peakError(snapshot)->low > live->high && peakError(snapshot)->high > snapshot.heapSummary.peakBytes);
    }

    void aStackOfWhichNoSampleIsLiveMayStillHaveSome()
    {
        HeapCost row;
        row.samples = 1;
        row.allocationVariance = row.allocatedVariance = 1;
        const auto live = errorOf(row, CostKind::Live, kPeriod);
        QVERIFY(live && live->low == 0 && live->high > 3 * static_cast<std::int64_t>(kPeriod));
        QVERIFY(!errorOf(row, CostKind::Peak, kPeriod));
    }
};

QTEST_APPLESS_MAIN(SamplingErrorTest)
#include "sampling_error_test.moc"
