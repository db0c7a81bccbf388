// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_test.h"
#include "tests/support/stack_histories.h"

#include <QElapsedTimer>
#include <QTest>

using namespace model;
using namespace tests;

/// The full test of the leak rule: the table of model/analysis/README.md, and what it costs.
class LeakRuleBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsLeaksByBehaviour()
    {
        for (std::size_t i = 0; i < kBehaviours; ++i)
            qInfo("72 buckets  %-28s flagged %5.1f %%", nameOf(behaviourAt(i)).data(),
                flaggedShare(behaviourAt(i), {}, 300, 21) * 100);
    }

    void meetsItsTargets()
    {
        for (const std::size_t buckets : {36, 48, 72, 100, 144}) {
            const RuleScore score = scoreLeakRule({.buckets = buckets}, 300, 21);
            qInfo(
                "%3zu buckets  recall %.3f  healthy stacks flagged %.4f", buckets, score.recall, score.falsePositives);
            QVERIFY(buckets < 72 || (score.recall >= 0.90 && score.falsePositives <= 0.002));
            QVERIFY(buckets < 144 || score.recall >= 0.95);
        }
    }

    void losesRecallNotPrecisionToSampling()
    {
        for (const double share : {1.0, 0.3, 0.1, 0.03, 0.01}) {
            const RuleScore score = scoreLeakRule({.sampledShare = share}, 300, 22);
            qInfo("%5.0f %% of the blocks sampled  recall %.3f  healthy stacks flagged %.4f", share * 100, score.recall,
                score.falsePositives);
            QVERIFY(score.falsePositives <= 0.004); // 12 of 3000
        }
    }

    void takesMicroseconds()
    {
        Random random(1);
        std::vector<std::vector<AgeBucket>> stacks;
        for (int i = 0; i < 2000; ++i)
            stacks.push_back(
                stackHistory(behaviourAt(static_cast<std::size_t>(i) % kBehaviours), {.buckets = 144}, random));
        QElapsedTimer timer;
        timer.start();
        std::size_t leaks = 0;
        for (const auto &stack : stacks)
            leaks += testLeak(stack).leaks() ? 1 : 0;
        qInfo("10,000 stacks of 144 buckets: %.0f ms (%zu of 2000 flagged)",
            static_cast<double>(timer.nsecsElapsed()) / 1e6 * 5, leaks);
    }
};

QTEST_APPLESS_MAIN(LeakRuleBench)
#include "leak_rule_bench.moc"
