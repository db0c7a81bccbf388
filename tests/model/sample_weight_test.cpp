// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/sample_weight.h"

#include <QtTest>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

using namespace model;

namespace {

using Random = std::mt19937_64;
using Sizes = std::function<std::uint64_t(Random &)>;

constexpr std::uint64_t kPeriod = 4096;

/// What a run allocated, and what its samples say.
struct Run
{
    std::int64_t bytes = 0, blocks = 0, estimatedBytes = 0, estimatedBlocks = 0;
    double byteVariance = 0, blockVariance = 0;
    int samples = 0;
};

/// A run that allocates about 150 periods, sampled as the tracer does it: a point each exponential distance.
Run simulate(Random &random, const Sizes &sizes)
{
    const SampleWeights weights(kPeriod);
    std::exponential_distribution<double> distance(1.0 / kPeriod);
    Run run;
    double left = distance(random);
    for (std::uint64_t pointer = 16; run.bytes < 150 * std::int64_t{kPeriod}; pointer += 16) {
        const std::uint64_t size = sizes(random);
        run.bytes += static_cast<std::int64_t>(size);
        ++run.blocks;
        left -= static_cast<double>(std::max(size, kLeastSampledBytes));
        if (left > 0)
            continue;
        left = distance(random);
        const SampleWeight weight = weights.of(random(), {size, 1, run.blocks});
        run.estimatedBytes += weight.bytes;
        run.estimatedBlocks += weight.blocks;
        run.byteVariance += weight.byteVariance;
        run.blockVariance += weight.blockVariance;
        ++run.samples;
    }
    return run;
}

bool holds(const ErrorInterval &interval, std::int64_t truth)
{
    return interval.low <= truth && truth <= interval.high;
}

} // namespace

class SampleWeightTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyEventStandsForItself()
    {
        const SampleWeight weight = SampleWeights().of(64, {100, 1, 0});
        QCOMPARE(weight.blocks, std::int64_t{1});
        QCOMPARE(weight.bytes, std::int64_t{100});
        QCOMPARE(weight.byteVariance, 0.0);
    }

    void aBlockWeighsTheSameAtItsBirthAndAtItsEnd()
    {
        const SampleWeights weights(kPeriod);
        for (std::uint64_t size = 0; size < 20'000; size += 61) {
            const LiveBlock block{size, 7, static_cast<std::int64_t>(size) * 3};
            const SampleWeight birth = weights.of(size * 16, block), end = weights.of(size * 16, block);
            QCOMPARE(birth.blocks, end.blocks);
            QCOMPARE(birth.bytes, end.bytes);
            QVERIFY(birth.blocks >= 1);
        }
    }

    void blocksFarAbovePeriodStandForThemselves()
    {
        const SampleWeight weight = SampleWeights(kPeriod).of(64, {100 * kPeriod, 1, 0});
        QCOMPARE(weight.blocks, std::int64_t{1});
        QCOMPARE(weight.bytes, std::int64_t{100 * kPeriod});
    }

    void intervalsHoldTheTruthAsOftenAsTheySay_data()
    {
        QTest::addColumn<Sizes>("sizes");
        QTest::addRow("small") << Sizes([](Random &random) { return 16 + random() % 496; });
        QTest::addRow("one size") << Sizes([](Random &) { return 64; });
        QTest::addRow("log-normal") << Sizes([](Random &random) {
            return static_cast<std::uint64_t>(std::lognormal_distribution<double>(5, 1.5)(random)) + 1;
        });
        QTest::addRow("near the period") << Sizes([](Random &random) { return 1000 + random() % 9000; });
        QTest::addRow("few large, many small") << Sizes(
            [](Random &random) { return random() % 200 == 0 ? 8000 + random() % 30'000 : 24 + random() % 100; });
    }
    void intervalsHoldTheTruthAsOftenAsTheySay()
    {
        QFETCH(Sizes, sizes);
        constexpr int kRuns = 4000;
        Random random(20261125);
        int bytesHeld = 0, blocksHeld = 0;
        double bytesError = 0, blocksError = 0;
        for (int i = 0; i < kRuns; ++i) {
            const Run run = simulate(random, sizes);
            bytesHeld += holds(errorInterval(run.estimatedBytes, run.byteVariance), run.bytes) ? 1 : 0;
            blocksHeld += holds(errorInterval(run.estimatedBlocks, run.blockVariance), run.blocks) ? 1 : 0;
            bytesError += static_cast<double>(run.estimatedBytes - run.bytes) / static_cast<double>(run.bytes) / kRuns;
            blocksError
                += static_cast<double>(run.estimatedBlocks - run.blocks) / static_cast<double>(run.blocks) / kRuns;
        }
        qInfo("95 %% intervals hold the bytes in %.1f %%, the blocks in %.1f %% of %d runs; mean errors %.2f %% and "
              "%.2f %%",
            100.0 * bytesHeld / kRuns, 100.0 * blocksHeld / kRuns, kRuns, 100 * bytesError, 100 * blocksError);
        QVERIFY(bytesHeld >= kRuns * 94 / 100 && bytesHeld <= kRuns * 96 / 100);
        // Where sizes differ by orders of magnitude, few samples of tiny blocks carry most of the number of blocks: who misses them
        // does not see the variance either, and the interval is short (log-normal: 90 %).
        QVERIFY(blocksHeld >= kRuns * 88 / 100 && blocksHeld <= kRuns * 97 / 100);
        QVERIFY(std::abs(bytesError) < 0.01 && std::abs(blocksError) < 0.02);
    }

    /// A live set of which all is known is thinned, and goes on with samples of a longer period: old blocks keep their weight.
    void thinnedLiveSetsAreHeldByTheirIntervals_data() { intervalsHoldTheTruthAsOftenAsTheySay_data(); }
    void thinnedLiveSetsAreHeldByTheirIntervals()
    {
        QFETCH(Sizes, sizes);
        constexpr int kRuns = 2000;
        Random random(5);
        int thinnedHeld = 0, laterHeld = 0;
        double thinnedError = 0, laterError = 0;
        for (int i = 0; i < kRuns; ++i) {
            Thinning thinning(kPeriod, random());
            const SampleWeights weights(kPeriod);
            std::int64_t truth = 0, estimate = 0;
            double variance = 0;
            for (std::uint64_t pointer = 16; truth < 150 * std::int64_t{kPeriod}; pointer += 16) {
                const LiveBlock block{sizes(random), 1, static_cast<std::int64_t>(pointer)};
                truth += static_cast<std::int64_t>(block.size);
                if (!thinning.keeps(block.size))
                    continue;
                const SampleWeight weight = weights.of(random(), block);
                estimate += weight.bytes;
                variance += weight.byteVariance;
            }
            thinnedHeld += holds(errorInterval(estimate, variance), truth) ? 1 : 0;
            thinnedError += static_cast<double>(estimate - truth) / static_cast<double>(truth) / kRuns;
            // As much comes anew, sampled as it comes.
            const Run later = simulate(random, sizes);
            const std::int64_t both = truth + later.bytes, bothEstimated = estimate + later.estimatedBytes;
            laterHeld += holds(errorInterval(bothEstimated, variance + later.byteVariance), both) ? 1 : 0;
            laterError += static_cast<double>(bothEstimated - both) / static_cast<double>(both) / kRuns;
        }
        qInfo("95 %% intervals hold in %.1f %% of %d thinnings, and in %.1f %% later; mean errors %.2f %% and %.2f %%",
            100.0 * thinnedHeld / kRuns, kRuns, 100.0 * laterHeld / kRuns, 100 * thinnedError, 100 * laterError);
        QVERIFY(thinnedHeld >= kRuns * 935 / 1000 && thinnedHeld <= kRuns * 965 / 1000);
        QVERIFY(laterHeld >= kRuns * 935 / 1000 && laterHeld <= kRuns * 965 / 1000);
        QVERIFY(std::abs(thinnedError) < 0.01 && std::abs(laterError) < 0.01);
    }

    void thinningKeepsNoMoreThanIsExpected()
    {
        Thinning thinning(65536, 1);
        std::uint64_t kept = 0;
        for (int i = 0; i < 1'000'000; ++i)
            kept += thinning.keeps(100) ? 1 : 0;
        QVERIFY(kept > 1300 && kept < 1800); // 1,525 on average
        QVERIFY(Thinning::expectedAtMost(65536, 1'000'000, 100'000'000) >= 1525);
        QVERIFY(Thinning::expectedAtMost(65536, 1'000'000, 100'000'000) < 2200);
        QCOMPARE(Thinning::expectedAtMost(64, 10, 1'000'000), std::uint64_t{10});
    }

    void nothingSampledSaysNothing()
    {
        QCOMPARE(errorInterval(0, 0).high, std::int64_t{0});
        QCOMPARE(errorInterval(5, 0).low, std::int64_t{5});
    }
};

QTEST_APPLESS_MAIN(SampleWeightTest)
#include "sample_weight_test.moc"
