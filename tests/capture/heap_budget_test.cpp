// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/heap_budget.h"

#include <QtTest>

#include <limits>

using namespace capture;
using Verdict = HeapBudget::Verdict;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kFivePercent = 5000;

/// A second in which reading alone cost so much of a core.
HeapLoad load(double share) { return {kSecond, 0, static_cast<std::int64_t>(share * kSecond), 0, 0, 0}; }

/// The seconds after which a program that costs `share` all the time is judged too expensive; 0: it is not within `most`.
int secondsUntilStep(double share, int most)
{
    HeapBudget budget(kFivePercent);
    for (int second = 1; second <= most; ++second)
        if (budget.judge(load(share)) != Verdict::Keep)
            return second;
    return 0;
}

} // namespace

class HeapBudgetTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsWithinTheBudgetIsKeptForEver()
    {
        QCOMPARE(secondsUntilStep(0.05, 100'000), 0);
        QCOMPARE(secondsUntilStep(0, 100'000), 0);
    }

    void theMoreItCostsTheSoonerItSteps()
    {
        QCOMPARE(secondsUntilStep(1, 100), 1);
        QCOMPARE(secondsUntilStep(0.15, 100), 6); // 0.5 s of debt at 0.1 s a second, and beyond
        QCOMPARE(secondsUntilStep(0.10, 100), 11);
        QVERIFY(secondsUntilStep(0.055, 200) > 90);
    }

    void burstIsForgivenByWhatFollows()
    {
        HeapBudget budget(kFivePercent);
        for (int minute = 0; minute < 100; ++minute) {
            QCOMPARE(budget.judge(load(0.5)), Verdict::Keep);
            for (int second = 0; second < 20; ++second)
                QCOMPARE(budget.judge(load(0.02)), Verdict::Keep);
        }
    }

    void lengthOfTheSpansDoesNotMatter()
    {
        HeapBudget fine(kFivePercent);
        int tenths = 0;
        while (fine.judge({kSecond / 10, 0, kSecond / 100, 0, 0, 0}) == Verdict::Keep)
            ++tenths;
        QVERIFY(tenths >= 99 && tenths <= 101);
    }

    void eventsCostTheTargetToo()
    {
        HeapBudget budget(kFivePercent);
        QVERIFY(budget.costNs({kSecond, 1'000'000, 0, 0, 0, 0}) > 10'000'000);
        QVERIFY(budget.costNs({kSecond, 1000, 0, 65536, 0, 0}) > budget.costNs({kSecond, 1000, 0, 0, 0, 0}));
    }

    void whatTheTargetMeasuredIsBelieved()
    {
        HeapBudget budget(kFivePercent);
        QCOMPARE(budget.costNs({kSecond, 1'000'000, 7, 0, 0, 0, 1000, 64'000}), std::int64_t{64'000'007});
        QCOMPARE(budget.costNs({kSecond, 1'000'000, 0, 0, 0, 0}), std::int64_t{64'000'000}); // measured before
        QCOMPARE(
            budget.costNs({kSecond, 1000, 0, 65536, 0, 0, 20, 20 * 900}), std::int64_t{900'000}); // samples are others
        QCOMPARE(budget.costNs({kSecond, 1'000'000, 0, 0, 0, 0}), std::int64_t{64'000'000});
        for (const double absurd : {-1e9, 1e300, std::numeric_limits<double>::quiet_NaN()})
            QCOMPARE(budget.costNs({kSecond, 1'000'000, 0, 0, 0, 0, 1000, absurd}), std::int64_t{64'000'000});
        QCOMPARE(budget.costNs({kSecond, 1'000'000, 0, 0, 0, 0, 2, 1e6}), std::int64_t{64'000'000}); // too few
    }

    void targetThatWaitsOrLosesStepsAtOnce()
    {
        HeapBudget budget(kFivePercent);
        QCOMPARE(budget.judge({kSecond, 0, 0, 0, 50, 0}), Verdict::Keep);
        QCOMPARE(budget.judge({kSecond, 0, 0, 0, 500, 0}), Verdict::TargetWaits);
        QCOMPARE(budget.judge({kSecond, 0, 0, 0, 0, 1}), Verdict::TargetWaits);
    }

    void stepsFromEveryEventToFourMebibytes()
    {
        QCOMPARE(nextAutoPeriod(0), std::optional<std::uint64_t>(64 * 1024));
        QCOMPARE(nextAutoPeriod(64 * 1024), std::optional<std::uint64_t>(512 * 1024));
        QCOMPARE(nextAutoPeriod(512 * 1024), std::optional<std::uint64_t>(4 * 1024 * 1024));
        QVERIFY(!nextAutoPeriod(4 * 1024 * 1024));
    }
};

QTEST_APPLESS_MAIN(HeapBudgetTest)
#include "heap_budget_test.moc"
