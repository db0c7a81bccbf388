// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/stability_verdict.h"
#include "tests/support/metric_series.h"

#include <QTest>

#include <algorithm>
#include <cstring>

using namespace model;
using namespace tests;

namespace {

/// How runs of one shape came out before the horizon.
struct Outcome
{
    int passed = 0;
    int failed = 0;
    int undecided = 0;
    int revoked = 0;
    double medianHours = 0; ///< of those decided
};

StabilityTest tested(const MetricShape &shape, Random &random, const StabilityOptions &options = {})
{
    StabilityTest test(options);
    const std::vector<double> values = metricSeries(shape, random);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) // without the very last minute: what was said before the end
        test.add({static_cast<double>(i) / 60, values[i]});
    return test;
}

Outcome outcomeOf(const MetricShape &shape, int runs, const StabilityOptions &options = {})
{
    Random random(31);
    Outcome outcome;
    std::vector<double> hours;
    for (int i = 0; i < runs; ++i) {
        const StabilityVerdict verdict = tested(shape, random, options).verdict();
        outcome.passed += verdict.state == StabilityState::ProvisionalPass ? 1 : 0;
        outcome.failed += verdict.state == StabilityState::Fail ? 1 : 0;
        outcome.undecided += verdict.state == StabilityState::Undecided ? 1 : 0;
        outcome.revoked += verdict.revokedHours ? 1 : 0;
        if (verdict.decidedHours)
            hours.push_back(*verdict.decidedHours);
    }
    std::sort(hours.begin(), hours.end());
    outcome.medianHours = hours.empty() ? 0 : hours[hours.size() / 2];
    return outcome;
}

} // namespace

/// The 48-hour test in virtual time; the whole noise table is made by stability_bench.
class StabilityVerdictTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decidesOnTheRightSide_data()
    {
        QTest::addColumn<double>("noise");
        QTest::addColumn<double>("minutes");
        QTest::addColumn<double>("growth");
        QTest::addColumn<double>("latest"); // median, hours
        QTest::newRow("live heap, flat") << 0.0005 << 2.0 << 0.0 << 5.0;
        QTest::newRow("live heap, +4 %") << 0.0005 << 2.0 << 0.04 << 6.0;
        QTest::newRow("live heap, +6 %") << 0.0005 << 2.0 << 0.06 << 6.0;
        QTest::newRow("0.2 %, flat") << 0.002 << 5.0 << 0.0 << 6.0;
        QTest::newRow("0.2 %, +8 %") << 0.002 << 5.0 << 0.08 << 8.0;
        QTest::newRow("0.2 %, +15 %") << 0.002 << 5.0 << 0.15 << 4.5; // 4 h of 200 runs
        QTest::newRow("0.5 %, flat") << 0.005 << 10.0 << 0.0 << 12.0;
        QTest::newRow("0.5 %, +15 %") << 0.005 << 10.0 << 0.15 << 10.0;
        QTest::newRow("1 %, +15 %") << 0.01 << 10.0 << 0.15 << 14.0;
    }
    void decidesOnTheRightSide()
    {
        QFETCH(double, noise);
        QFETCH(double, minutes);
        QFETCH(double, growth);
        QFETCH(double, latest);
        const Outcome outcome = outcomeOf({.growth = growth, .noise = noise, .noiseMinutes = minutes}, 20);
        QVERIFY((growth > 0.05 ? outcome.passed : outcome.failed) <= 1); // 5 %
        QVERIFY2(
            outcome.medianHours > 0 && outcome.medianHours <= latest, qPrintable(QString::number(outcome.medianHours)));
    }

    void waitsForTheEndOfTheWarmup_data()
    {
        QTest::addColumn<double>("tau");
        QTest::addColumn<double>("growth");
        for (const double tau : {0.3, 1.0, 2.0})
            for (const double growth : {0.0, 0.08})
                QTest::addRow("%g h, +%g %%", tau, growth * 100) << tau << growth;
    }
    void waitsForTheEndOfTheWarmup()
    {
        QFETCH(double, tau);
        QFETCH(double, growth);
        const Outcome outcome = outcomeOf({.growth = growth, .warmup = 0.2, .warmupHours = tau}, 20);
        QCOMPARE(growth > 0.05 ? outcome.failed : outcome.passed, 20);
    }

    void withdrawsAPassWhenALeakStartsLater()
    {
        const Outcome outcome = outcomeOf({.growth = 0.15, .startHours = 12}, 20);
        QCOMPARE(outcome.revoked, 20);
        QVERIFY(outcome.medianHours <= 20);
        QCOMPARE(outcomeOf({}, 20).revoked, 0);
    }

    void knowsADeclaredCycle()
    {
        const StabilityOptions day{.periodHours = 24};
        for (const MetricShape &shape : {MetricShape{.daily = 0.01}, MetricShape{.shift = 0.01}}) {
            const Outcome flat = outcomeOf(shape, 10, day);
            QCOMPARE(flat.failed, 0);
            QVERIFY(flat.passed >= 8);
            QVERIFY(flat.medianHours >= 36);
            MetricShape leaking = shape;
            leaking.growth = 0.1;
            const Outcome grown = outcomeOf(leaking, 10, day);
            QCOMPARE(grown.passed, 0);
            QVERIFY(grown.failed >= 8);
        }
    }

    void saysThatACycleHasToBeSeen()
    {
        Random random(6);
        const std::vector<double> values = metricSeries({.hours = 30, .daily = 0.01}, random);
        StabilityTest test({.periodHours = 24}), over({.lastHours = 30, .periodHours = 24});
        for (std::size_t i = 0; i < values.size(); ++i) {
            test.add({static_cast<double>(i) / 60, values[i]});
            over.add({static_cast<double>(i) / 60, values[i]});
        }
        QCOMPARE(test.verdict().state, StabilityState::Undecided);
        QCOMPARE(test.verdict().expectedHours.value_or(0), 36.0);
        QVERIFY2(test.verdict().sentence.ends_with(
                     "1.5 cycles of 24 h have to be seen after the warm-up, which is at 36 h."),
            test.verdict().sentence.c_str());
        QCOMPARE(over.verdict().state, StabilityState::Undecided);
        test.finish(); // stopped early
        QVERIFY2(test.verdict().sentence.ends_with("it was too short for that."), test.verdict().sentence.c_str());
        QVERIFY2(over.verdict().sentence.ends_with("it was too short for that."), over.verdict().sentence.c_str());
    }

    void aLeakAfterAPassIsSeenBesideACycle()
    {
        Random random(8);
        StabilityTest test({.horizonHours = 48, .periodHours = 6});
        const std::vector<double> values = metricSeries({.growth = 0.3, .startHours = 20}, random);
        for (std::size_t i = 0; i + 1 < values.size(); ++i) {
            const double hours = static_cast<double>(i) / 60;
            test.add({hours, values[i] + (std::fmod(hours, 6) < 2 ? 0.02 : 0)});
        }
        QCOMPARE(test.verdict().state, StabilityState::Fail);
        QVERIFY(test.verdict().revokedHours.value_or(48) < 20 + 6 + 8 + 1); // a cycle, and what is watched
    }

    void tellsAStepFromASlope_data()
    {
        QTest::addColumn<double>("step");
        QTest::addColumn<double>("growth");
        QTest::addColumn<int>("state");
        QTest::newRow("3 %") << 0.03 << 0.0 << static_cast<int>(StabilityState::Pass);
        QTest::newRow("10 %") << 0.1 << 0.0 << static_cast<int>(StabilityState::Fail);
        QTest::newRow("3 %, and 4 %") << 0.03 << 0.04 << static_cast<int>(StabilityState::Fail); // together too much
        QTest::newRow("none, and 5 %") << 0.0 << 0.05 << static_cast<int>(StabilityState::AtTheLimit);
    }
    void tellsAStepFromASlope()
    {
        QFETCH(double, step);
        QFETCH(double, growth);
        QFETCH(int, state);
        Random random(5);
        for (const double hours : {10, 20, 40}) {
            std::vector<double> values = metricSeries({.growth = growth}, random);
            StabilityOptions options;
            StabilityTest test(options);
            for (std::size_t i = 0; i < values.size(); ++i)
                test.add({static_cast<double>(i) / 60, values[i] + (static_cast<double>(i) / 60 < hours ? 0 : step)});
            const StabilityVerdict &verdict = test.verdict();
            qInfo("%s", verdict.sentence.c_str());
            QCOMPARE(static_cast<int>(verdict.state), state);
        }
    }

    void namesAStackThatGrowsAlone()
    {
        Random random(1);
        const std::vector<double> values = metricSeries({.hours = 12}, random);
        StabilityTest plain, held;
        for (std::size_t i = 0; i < values.size(); ++i) {
            plain.add({static_cast<double>(i) / 60, values[i]});
            held.add({static_cast<double>(i) / 60, values[i], 0.08});
        }
        QCOMPARE(plain.verdict().state, StabilityState::ProvisionalPass);
        QCOMPARE(held.verdict().state, StabilityState::Undecided);
    }

    void decidesByWhatWasMeasuredAtTheEnd()
    {
        Random random(2);
        const auto ended = [&](double growth, double noise) {
            StabilityTest test;
            const auto values = metricSeries({.growth = growth, .noise = noise, .noiseMinutes = 30}, random);
            for (std::size_t i = 0; i < values.size(); ++i)
                test.add({static_cast<double>(i) / 60, values[i]});
            return test.verdict().state;
        };
        QCOMPARE(ended(0, 0.02), StabilityState::Pass);
        QCOMPARE(ended(0.5, 0.02), StabilityState::Fail);
        QCOMPARE(ended(0.05, 0.02), StabilityState::AtTheLimit);
    }

    void saysThatItShrinksWhereItDoes()
    {
        Random random(2);
        StabilityTest test;
        const auto values = metricSeries({.growth = -0.2, .noise = 0.002, .noiseMinutes = 30}, random);
        for (std::size_t i = 0; i < values.size(); ++i)
            test.add({static_cast<double>(i) / 60, values[i]});
        const std::string &sentence = test.verdict().sentence;
        QVERIFY(test.verdict().state == StabilityState::Pass && test.verdict().growth < -0.1);
        QVERIFY2(sentence.starts_with("PASS after 48 h: it shrinks by ")
                && sentence.find(" in 48 h (growth of −") != std::string::npos,
            sentence.c_str());
        QVERIFY2(sentence.find("by −") == std::string::npos, sentence.c_str());
    }

    void isTheSameWhenItIsResumed()
    {
        Random random(3);
        for (int run = 0; run < 10; ++run) {
            const std::vector<double> values
                = metricSeries({.hours = 20, .growth = run % 2 == 0 ? 0.0 : 0.12, .warmup = 0.1}, random);
            StabilityTest whole, first;
            const std::size_t killed = random.bits() % values.size();
            std::vector<StabilityPoint> checkpoint;
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (i / 60 == 7)
                    continue; // the profiler was away for an hour
                whole.add({static_cast<double>(i) / 60, values[i]});
                if (i < killed)
                    checkpoint.push_back({static_cast<double>(i) / 60, values[i]});
            }
            for (const StabilityPoint &point : checkpoint)
                first.add(point);
            StabilityTest resumed;
            for (const StabilityPoint &point : checkpoint)
                resumed.add(point);
            for (std::size_t i = killed; i < values.size(); ++i)
                if (i / 60 != 7)
                    resumed.add({static_cast<double>(i) / 60, values[i]});
            const StabilityVerdict &a = whole.verdict(), &b = resumed.verdict();
            QCOMPARE(a.state, b.state);
            QCOMPARE(a.sentence, b.sentence);
            QCOMPARE(std::memcmp(&a.growth, &b.growth, sizeof a.growth), 0);
            QCOMPARE(std::memcmp(&a.evidence, &b.evidence, sizeof a.evidence), 0);
        }
    }

    void boundsWhatItCannotSee()
    {
        Random random(4);
        const StabilityVerdict verdict = tested({.hours = 10}, random).verdict();
        QCOMPARE(verdict.state, StabilityState::ProvisionalPass);
        QVERIFY(std::abs(verdict.unseenSteps - 48 * 3 / *verdict.decidedHours * 0.01) < 1e-9);
        QVERIFY(verdict.sentence.find("could still add up to") != std::string::npos);
        QVERIFY(verdict.growthInterval.low < verdict.growthInterval.high);
    }

    /// Whoever watches sees what has come since.
    void figuresGoOnAfterAPass()
    {
        Random random(4);
        StabilityTest test(StabilityOptions{});
        std::optional<double> atDecision;
        for (int minute = 0; minute < 40 * 60 && test.verdict().state != StabilityState::Fail; ++minute) {
            const double hours = minute / 60.0;
            test.add({hours, 1e8 * (1 + 0.001 * random.normal()) + (hours > 20 ? (hours - 20) * 4e4 : 0)});
            if (!atDecision && test.verdict().state == StabilityState::ProvisionalPass)
                atDecision = test.verdict().growth;
        }
        QVERIFY(atDecision.has_value());
        QCOMPARE(test.verdict().state, StabilityState::ProvisionalPass);
        QVERIFY(test.verdict().growth > *atDecision + 0.001);
    }

    void nothingThatStaysNothingPasses()
    {
        StabilityTest test(StabilityOptions{});
        for (int minute = 0; minute < 48 * 60; ++minute)
            test.add({minute / 60.0, 0});
        test.finish();
        QCOMPARE(test.verdict().state, StabilityState::Pass);
        QCOMPARE(test.verdict().level, 0.0);
        QCOMPARE(test.verdict().growth, 0.0);

        StabilityTest leak(StabilityOptions{});
        for (int minute = 0; minute < 48 * 60; ++minute)
            leak.add({minute / 60.0, minute < 600 ? 0.0 : (minute - 600) * 100.0});
        leak.finish();
        QCOMPARE(leak.verdict().state, StabilityState::Fail);
    }

    /// A heap of some hundred bytes that comes and goes is no leak; one that grows by pages is.
    void lessThanAPageIsNoGrowth()
    {
        Random random(3);
        StabilityTest tiny({.leastGain = 4096}), growing({.leastGain = 4096}), falling;
        for (int minute = 0; minute < 48 * 60; ++minute) {
            const double hours = minute / 60.0, value = 500 * random.uniform();
            tiny.add({hours, value, minute % 7 == 0 ? 0.9 : 0});
            growing.add({hours, value + 1000 * hours, 0});
            falling.add({hours, std::max(100.0 - 20 * hours, 0.0) + 0.01 * value, 0});
            QVERIFY(falling.verdict().growth >= -1 && falling.verdict().growthInterval.high >= -1);
        }
        QVERIFY2(tiny.verdict().state == StabilityState::Pass, tiny.verdict().sentence.c_str());
        QVERIFY2(
            tiny.verdict().sentence.find("4 KiB are allowed") != std::string::npos, tiny.verdict().sentence.c_str());
        QCOMPARE(growing.verdict().state, StabilityState::Fail);
    }

    void takesNonsenseAsNothing()
    {
        StabilityTest test;
        QVERIFY(!test.add({NAN, 1}) && !test.add({1, NAN}) && !test.add({INFINITY, 1}));
        test.add({1, 1});
        QVERIFY(!test.add({0.5, 1}));
        QCOMPARE(test.pointCount(), std::size_t{1});
    }
};

QTEST_APPLESS_MAIN(StabilityVerdictTest)
#include "stability_verdict_test.moc"
