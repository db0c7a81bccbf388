// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_test.h"
#include "tests/support/stack_histories.h"

#include <QTest>

using namespace model;
using namespace tests;

/// The leak rule on made-up stacks; the whole table is made by leak_rule_bench.
class LeakTestTest : public QObject
{
    Q_OBJECT

private:
    static constexpr int kRuns = 60;

private Q_SLOTS:
    void accusesNoHealthyStack_data()
    {
        QTest::addColumn<int>("behaviour");
        for (std::size_t i = 0; i < kHealthyBehaviours; ++i)
            QTest::newRow(nameOf(behaviourAt(i)).data()) << static_cast<int>(i);
    }
    void accusesNoHealthyStack()
    {
        QFETCH(int, behaviour);
        const double flagged = flaggedShare(static_cast<Behaviour>(behaviour), {}, kRuns, 21);
        QVERIFY2(flagged <= 0.02, qPrintable(QString::number(flagged))); // one of 60
    }

    void findsLeaks_data()
    {
        QTest::addColumn<int>("behaviour");
        QTest::addColumn<double>("least");
        const double least[]{0.98, 0.8, 0.8, 0.8, 0.9, 0.75};
        for (std::size_t i = 0; i < kLeakingBehaviours; ++i)
            QTest::newRow(nameOf(behaviourAt(i + kHealthyBehaviours)).data())
                << static_cast<int>(i + kHealthyBehaviours) << least[i];
    }
    void findsLeaks()
    {
        QFETCH(int, behaviour);
        QFETCH(double, least);
        const double flagged = flaggedShare(static_cast<Behaviour>(behaviour), {}, kRuns, 21);
        QVERIFY2(flagged >= least, qPrintable(QString::number(flagged)));
    }

    void meetsItsTargets()
    {
        const RuleScore score = scoreLeakRule({}, kRuns, 21);
        QVERIFY2(score.recall >= 0.90, qPrintable(QString::number(score.recall)));
        QVERIFY2(score.falsePositives <= 0.002, qPrintable(QString::number(score.falsePositives)));
        QVERIFY(score.falsePositives <= falseReportRate(72));
    }

    void findsMoreInALongerHistory() { QVERIFY(scoreLeakRule({.buckets = 144}, 20, 21).recall >= 0.95); }

    void samplingCostsRecallNotPrecision()
    {
        const RuleScore score = scoreLeakRule({.sampledShare = 0.1}, kRuns, 22);
        QVERIFY(score.recall >= 0.5 && score.recall < 0.8);
        QVERIFY(score.falsePositives <= 0.01); // 600 stacks: each one counts for 0.0017
    }

    void saysWhereACacheWouldLookTheSame_data()
    {
        QTest::addColumn<int>("behaviour");
        for (std::size_t i = kHealthyBehaviours + kLeakingBehaviours; i < kBehaviours; ++i)
            QTest::newRow(nameOf(behaviourAt(i)).data()) << static_cast<int>(i);
    }
    void saysWhereACacheWouldLookTheSame()
    {
        QFETCH(int, behaviour);
        Random random(9);
        for (int i = 0; i < kRuns; ++i) {
            const LeakTest test = testLeak(stackHistory(static_cast<Behaviour>(behaviour), {}, random));
            QVERIFY(!test.leaks() || test.couldBeCache());
        }
    }

    void isSureOfAFractionThatStays()
    {
        Random random(10);
        int sure = 0;
        for (int i = 0; i < kRuns; ++i) {
            const LeakTest test = testLeak(stackHistory(Behaviour::LeakFraction, {}, random));
            sure += test.leaks() && !test.couldBeCache() ? 1 : 0;
        }
        QVERIFY(sure >= kRuns * 6 / 10);
    }

    void saysNothingOfAShortHistory()
    {
        Random random(11);
        const LeakTest test = testLeak(stackHistory(Behaviour::LeakFull, {.buckets = 35}, random));
        QVERIFY(!test.isEnough && !test.leaks());
        QVERIFY(!testLeak({}).isEnough);
        QVERIFY(!testLeak(std::vector<AgeBucket>(72)).isEnough); // nothing was ever born
    }

    void followsTheFormulae()
    {
        // Ten blocks a bucket; nine die in their bucket, one stays for ever.
        std::vector<AgeBucket> history(72);
        for (std::size_t i = 0; i < history.size(); ++i)
            history[i] = {10, 1, 0, static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(i + 1) * 64};
        history[0].died = 9 * 72;
        const LeakTest test = testLeak(history);
        QCOMPARE(test.deathAge99, std::size_t{0});
        QCOMPARE(test.matureAge, std::size_t{6});
        QVERIFY(std::abs(test.survival.front() - 0.1) < 1e-12);
        QCOMPARE(test.survival.back(), test.survival.front());
        QCOMPARE(test.lateRisk, std::int64_t{66 * 67 / 2});
        QVERIFY(std::abs(test.clearedShare - (1.96 + 1) / (66 * 67 / 2) * 66) < 1e-9);
        QCOMPARE(test.cohorts, std::size_t{72 - 6 - 12});
        QCOMPARE(test.survivors, std::int64_t{54});
        QCOMPARE(test.leakShare, 0.1);
        QCOMPARE(test.bytesSlope, 64.0);
        QVERIFY(test.leaks() && !test.couldBeCache());
    }

    /// Batches that last as long as a bucket: at the ends of buckets there are some fewer each time, whatever is kept.
    void seesWhatBatchesLeaveBehind()
    {
        Random random(4);
        std::vector<AgeBucket> history(60);
        std::int64_t kept = 0;
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto alive = static_cast<std::int64_t>(40 + random.bits() % 21);
            kept += alive;
            history[i] = {5000, alive, 0, 5500 - 2 * static_cast<std::int64_t>(i), 0};
            history[i].liveBytes = history[i].liveBlocks * 100;
        }
        history[0].died = 5000 * 60 - kept;
        const LeakTest test = testLeak(history);
        QVERIFY(test.leaks() && test.growsUnderneath && !test.couldBeCache());
        QVERIFY(std::abs(test.slope - 50) < 3);
        QVERIFY(std::abs(test.bytesSlope - 100 * test.slope) < 1e-6);
        // Where the old are freed after all, nothing adds up.
        std::vector<AgeBucket> freed = history;
        freed[0].died -= 2000;
        freed[40].died = 2000;
        QVERIFY(!testLeak(freed).leaks());
        // Nor where only some spans of time leave any.
        for (std::size_t i = 0; i < history.size(); i += 2)
            history[i].alive = 0;
        QVERIFY(!testLeak(history).leaks());
    }

    void takesWhateverAFileHolds()
    {
        Random random(12);
        for (int i = 0; i < 200; ++i) {
            std::vector<AgeBucket> history(36 + random.bits() % 109);
            for (AgeBucket &bucket : history) {
                for (std::int64_t AgeBucket::*value : {&AgeBucket::born, &AgeBucket::alive, &AgeBucket::died,
                         &AgeBucket::liveBlocks, &AgeBucket::liveBytes})
                    bucket.*value = static_cast<std::int64_t>(random.bits());
                cutToPossible(bucket);
            }
            const LeakTest test = testLeak(history);
            QVERIFY(test.matureAge >= 6 && test.matureAge <= history.size() / 2);
        }
    }
};

QTEST_APPLESS_MAIN(LeakTestTest)
#include "leak_test_test.moc"
