// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_test.h"
#include "tests/support/stack_histories.h"

#include <QTest>

#include <time.h>

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
        // Leaking ones cost most, as all conditions are looked at; in a program few do. CPU time, so that a busy machine can say it too.
        std::size_t leaks = 0;
        double leakingNs = 0, healthyNs = 0;
        for (const auto &stack : stacks) {
            timespec begin{}, end{};
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
            const bool isLeak = testLeak(stack).leaks();
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
            const double ns = static_cast<double>(end.tv_sec - begin.tv_sec) * 1e9
                + static_cast<double>(end.tv_nsec - begin.tv_nsec);
            (isLeak ? leakingNs : healthyNs) += ns;
            leaks += isLeak ? 1 : 0;
        }
        const double each = healthyNs / static_cast<double>(stacks.size() - leaks);
        const double eachLeak = leakingNs / static_cast<double>(leaks);
        qInfo("a healthy stack of 144 buckets takes %.1f µs, a leaking one %.1f µs of CPU time: 10,000 of which 2 %% "
              "leak %.0f ms",
            each / 1e3, eachLeak / 1e3, (0.98 * each + 0.02 * eachLeak) / 100);
    }
};

QTEST_APPLESS_MAIN(LeakRuleBench)
#include "leak_rule_bench.moc"
