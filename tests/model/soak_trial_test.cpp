// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/soak_places.h"
#include "model/analysis/soak_watch.h"
#include "model/soak_record.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/soak_runs.h"

#include <QRegularExpression>
#include <QTest>

#include <algorithm>
#include <cstring>

Q_DECLARE_METATYPE(tests::SoakShape)

using namespace model;
using namespace tests;

namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;

/// How many of the runs came out how.
struct Outcomes
{
    int stable = 0, leaking = 0, undecided = 0;
    std::vector<double> hours; ///< when
};

Outcomes outcomesOf(const SoakShape &shape, int runs)
{
    Random random(31);
    Outcomes all;
    for (int run = 0; run < runs; ++run) {
        const VirtualSoak soak = virtualSoak(shape, random);
        const SoakAnswer answer = soakAnswer(soak.stored);
        all.stable += answer.outcome == SoakOutcome::Stable ? 1 : 0;
        all.leaking += answer.outcome == SoakOutcome::Leaking ? 1 : 0;
        all.undecided += answer.outcome == SoakOutcome::Undecided ? 1 : 0;
        all.hours.push_back(answer.elapsed.seconds() / 3600);
    }
    std::sort(all.hours.begin(), all.hours.end());
    return all;
}

int runsOfAClass() { return qEnvironmentVariableIntValue("GENESIS_LONG_TESTS") > 0 ? 200 : 6; }

} // namespace

/// Whole tests on virtual time: ticks of a recording go in, and what the session would hold is judged.
class SoakTrialTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void endsOnTheRightSide_data()
    {
        QTest::addColumn<SoakShape>("shape");
        QTest::addColumn<double>("mostWrong"); // share of the runs
        QTest::addColumn<double>("latest");    // median, hours
        const auto row = [](const char *name, SoakShape shape, double mostWrong, double latest) {
            QTest::newRow(name) << shape << mostWrong << latest;
        };
        row("flat", {.expected = SoakOutcome::Stable}, 0.05, 6);
        row("warm-up of 20 %, 1 h", {.memory = {.warmup = 0.2}, .expected = SoakOutcome::Stable}, 0.01, 24.5);
        row("warm-up of 5 %, 3 h", {.memory = {.warmup = 0.05, .warmupHours = 3}, .expected = SoakOutcome::Stable},
            0.05, 24.5);
        row("+3 %", {.memory = {.growth = 0.03}, .expected = SoakOutcome::Stable}, 0.05, 14);
        row("+10 %", {.memory = {.growth = 0.10}, .expected = SoakOutcome::Leaking}, 0.05, 7);
        row("a step of 10 % after 20 h",
            {.memory = {},
                .stepHours = 20,
                .step = 0.1,
                .stopEarly = StopEarly::Never,
                .expected = SoakOutcome::Leaking},
            0.05, 48.1);
        row("a step of 3 % after 20 h",
            {.memory = {},
                .stepHours = 20,
                .step = 0.03,
                .stopEarly = StopEarly::Never,
                .expected = SoakOutcome::Stable},
            0.01, 48.1);
        row("a cycle of 1 %, declared", {.memory = {.daily = 0.01}, .periodHours = 24, .expected = SoakOutcome::Stable},
            0, 37);
        row("+10 % beside it",
            {.memory = {.growth = 0.1, .daily = 0.01}, .periodHours = 24, .expected = SoakOutcome::Leaking}, 0, 37);
        row("teeth of 5 % and 1 h", {.memory = {.sawtooth = 0.05, .sawtoothHours = 1}, .expected = SoakOutcome::Stable},
            0.05, 24);
        row("a restart after 3 h", {.memory = {}, .restartHours = 3, .expected = SoakOutcome::Stable}, 0.05, 10);
        row("+10 %, a restart after 3 h",
            {.memory = {.growth = 0.1}, .restartHours = 3, .expected = SoakOutcome::Leaking}, 0.05, 11);
    }
    void endsOnTheRightSide()
    {
        QFETCH(SoakShape, shape);
        QFETCH(double, mostWrong);
        QFETCH(double, latest);
        const int runs = runsOfAClass();
        const Outcomes outcomes = outcomesOf(shape, runs);
        const double median = outcomes.hours[outcomes.hours.size() / 2];
        const int wrong = shape.expected == SoakOutcome::Stable ? outcomes.leaking : outcomes.stable;
        qInfo("stable %d, leaking %d, undecided %d of %d; median %.1f h", outcomes.stable, outcomes.leaking,
            outcomes.undecided, runs, median);
        QVERIFY(wrong <= (mostWrong == 0 ? 0 : std::max(1.0, mostWrong * runs))); // one of few may err
        QVERIFY(outcomes.undecided <= std::max(1.0, 0.05 * runs));
        QVERIFY(median <= latest);
    }

    void saysThatTheLimitIsTheLimit()
    {
        const int runs = runsOfAClass();
        const Outcomes outcomes = outcomesOf({.memory = {.growth = 0.05}, .expected = SoakOutcome::Undecided}, runs);
        qInfo("+5 %%: stable %d, leaking %d, undecided %d of %d", outcomes.stable, outcomes.leaking, outcomes.undecided,
            runs);
        // Either side is as wrong as the other: no more of both than the test is allowed to err on one.
        QVERIFY(outcomes.stable + outcomes.leaking <= std::max(1.0, 0.1 * runs));
    }

    void saysTheSameWhereverItIsKilled()
    {
        Random seeds(5);
        for (const double growth : {0.0, 0.12}) {
            const SoakShape shape{.memory = {.growth = growth}, .heapMode = HeapMode::Off};
            Random first(9);
            const VirtualSoak whole = virtualSoak(shape, first);
            const SoakAnswer expected = soakAnswer(whole.stored);
            for (int kill = 0; kill < 10; ++kill) {
                SoakShape killed = shape;
                killed.killHours = seeds.uniform(0.1, expected.elapsed.seconds() / 3600);
                Random again(9);
                const SoakAnswer answer = soakAnswer(virtualSoak(killed, again).stored);
                QCOMPARE(answer.outcome, expected.outcome);
                QCOMPARE(answer.sentence, expected.sentence);
                const StabilityVerdict &a = answer.segments.back().judgements[0].verdict;
                const StabilityVerdict &b = expected.segments.back().judgements[0].verdict;
                QCOMPARE(std::memcmp(&a.evidence, &b.evidence, sizeof a.evidence), 0);
                QCOMPARE(answer.segments.size(), std::size_t{1});
            }
        }
    }

    void judgesNoHeapWhoseEventsWereLost()
    {
        SoakShape shape{.memory = {}, .heapGrowth = 0.5};
        Random first(1);
        const SoakAnswer judged = soakAnswer(virtualSoak(shape, first).stored);
        QCOMPARE(judged.outcome, SoakOutcome::Leaking);
        QVERIFY(judged.sentence.starts_with("Live heap"));
        shape.lossHours = 1;
        Random again(1);
        const SoakAnswer answer = soakAnswer(virtualSoak(shape, again).stored);
        QCOMPARE(answer.outcome, SoakOutcome::Stable);
        const SoakJudgement &heap = answer.segments[0].judgements[2];
        QVERIFY(!heap.isJudged);
        QVERIFY(heap.exclusion.find("lost") != std::string::npos);
    }

    void judgesNoHeapThatWasNotTraced()
    {
        Random random(1);
        const SoakShape shape{.memory = {}, .heapGrowth = 0.5, .isHeapTraced = false};
        const SoakJudgement heap = soakAnswer(virtualSoak(shape, random).stored).segments[0].judgements[2];
        QVERIFY(!heap.isJudged);
        QVERIFY2(heap.exclusion.find("could not be traced") != std::string::npos, heap.exclusion.c_str());
    }

    void judgesNoHeapThatIsSampledCoarsely()
    {
        Random random(1);
        SoakShape shape{.memory = {}, .heapGrowth = 0.5, .heapMode = HeapMode::Sampled};
        const SoakAnswer answer = soakAnswer(virtualSoak(shape, random).stored);
        QVERIFY(!answer.segments[0].judgements[2].isJudged);
        shape.heapPeriodBytes = 256; // 0.2 % of 100 MiB
        Random again(1);
        QVERIFY(soakAnswer(virtualSoak(shape, again).stored).segments[0].judgements[2].isJudged);
    }

    void scalesWithTheLengthOfTheTest()
    {
        for (const Duration length : {Duration::fromMs(60'000), Duration::fromMs(600'000)}) {
            Random random(3);
            const VirtualSoak flat = virtualSoak({.memory = {}, .length = length}, random);
            const SoakAnswer answer = soakAnswer(flat.stored);
            QCOMPARE(answer.outcome, SoakOutcome::Stable);
            QVERIFY(answer.elapsed.seconds() < 0.2 * length.seconds());
            QVERIFY(answer.notes.back().find("times slower") != std::string::npos);
            QVERIFY(!QRegularExpression(QStringLiteral("\\d h\\b"))
                         .match(QString::fromStdString(answer.sentence))
                         .hasMatch()); // it speaks of its own time
            QCOMPARE(soakAnswer(virtualSoak({.memory = {.growth = 0.2}, .length = length}, random).stored).outcome,
                SoakOutcome::Leaking);
        }
    }

    /// The time of a segment is that of the clock that nobody sets; after a boot, which that clock does not outlive, there is a new segment.
    void aWallClockThatIsSetChangesNothing_data()
    {
        QTest::addColumn<double>("jump"); // hours
        QTest::addColumn<bool>("isBoot");
        for (const double jump : {-30.0, 30.0, 400.0})
            for (const bool isBoot : {false, true})
                QTest::addRow("%g h, %s", jump, isBoot ? "after a boot" : "recorder killed") << jump << isBoot;
    }
    void aWallClockThatIsSetChangesNothing()
    {
        QFETCH(double, jump);
        QFETCH(bool, isBoot);
        SoakShape shape{.memory = {.growth = 0.1}, .gapHours = 0.5, .heapMode = HeapMode::Off};
        (isBoot ? shape.restartHours : shape.killHours) = 1.5;
        Random first(7);
        const SoakAnswer expected = soakAnswer(virtualSoak(shape, first).stored);
        shape.clockJumpHours = jump;
        Random again(7);
        const SoakAnswer answer = soakAnswer(virtualSoak(shape, again).stored);
        QCOMPARE(answer.outcome, SoakOutcome::Leaking);
        QCOMPARE(answer.sentence, expected.sentence);
        QCOMPARE(answer.elapsed, expected.elapsed);
        QCOMPARE(answer.notes, expected.notes);
        QCOMPARE(answer.segments.size(), std::size_t{isBoot ? 2u : 1u});
    }

    void statesTheGap()
    {
        SoakShape shape{.memory = {}, .killHours = 2, .stopEarly = StopEarly::Never};
        shape.gapHours = 3;
        Random random(4);
        const SoakAnswer answer = soakAnswer(virtualSoak(shape, random).stored);
        QCOMPARE(answer.segments.size(), std::size_t{1});
        QVERIFY(std::abs(static_cast<double>(answer.segments[0].unseen.ns) / kHourNs - 3) < 0.1);
        QVERIFY(answer.notes[0].find("were not recorded") != std::string::npos);
        QCOMPARE(answer.outcome, SoakOutcome::Stable);
    }

    /// What the tracer keeps of its own after its recorder is the same memory before and after the gap.
    void takesNoPagesOfTheTracerForGrowth()
    {
        constexpr double kTracer = 16.0 * 1024 * 1024; // a half of it is 8 % of the level
        SoakShape shape{
            .memory = {}, .killHours = 6, .gapHours = 0.5, .tracerBytes = kTracer, .stopEarly = StopEarly::Never};
        Random random(4);
        const SoakAnswer flat = soakAnswer(virtualSoak(shape, random).stored);
        QCOMPARE(flat.outcome, SoakOutcome::Stable);
        const SoakJudgement &rss = flat.segments[0].judgements[0];
        QVERIFY(std::abs(rss.verdict.growth) < 0.01);
        QVERIFY(std::abs(rss.level / (120.0 * 1024 * 1024) - 1) < 0.01);
        shape.memory.growth = 0.1;
        Random again(4);
        const SoakAnswer leak = soakAnswer(virtualSoak(shape, again).stored);
        QCOMPARE(leak.outcome, SoakOutcome::Leaking);
        QCOMPARE(leak.segments[0].judgements[0].verdict.state, StabilityState::Fail);
        QVERIFY(std::abs(leak.segments[0].judgements[0].level / (130.0 * 1024 * 1024) - 1) < 0.01);
    }

    void waitsForTheWholeTimeWhereItIsTold()
    {
        Random random(4);
        const VirtualSoak soak = virtualSoak({.memory = {}, .stopEarly = StopEarly::Fail}, random);
        const SoakAnswer answer = soakAnswer(soak.stored);
        QVERIFY(soak.stored.end->isWhole);
        QVERIFY(!answer.isProvisional);
        QVERIFY(std::abs(answer.elapsed.seconds() / 3600 - 48) < 0.1);
        QVERIFY(answer.sentence.find("PASS after 48 h") != std::string::npos);
    }

    /// What grew during the warm-up is no growth, for whoever asks: terminal, report and window.
    /// What was judged by other rules keeps its outcome, and the reason that it had.
    void namesTheReasonOfTheOutcomeThatIsStored()
    {
        Random random(4);
        SoakRecord stored = virtualSoak({.memory = {}, .stopEarly = StopEarly::Fail}, random).stored;
        stored.end->sentence = "Resident memory: PASS.";
        QVERIFY(soakAnswer(stored).sentence.find("when it ended") == std::string::npos);
        stored.end = SoakEnd{SoakOutcome::Undecided, true, {}, "Live heap: At the limit after 48 h."};
        const SoakAnswer answer = soakAnswer(stored);
        QCOMPARE(answer.outcome, SoakOutcome::Undecided);
        QVERIFY2(answer.sentence.starts_with("This was the reason when it ended: Live heap: At the limit after 48 h. "),
            answer.sentence.c_str());
        QVERIFY2(answer.sentence.find(" it would be stable: ") != std::string::npos, answer.sentence.c_str());
        stored.end = SoakEnd{SoakOutcome::Undecided, false, "It was stopped after 48 h.", "Live heap: PASS."};
        QVERIFY2(soakAnswer(stored).sentence.starts_with("It was stopped after 48 h. By then: "),
            soakAnswer(stored).sentence.c_str());
    }

    void namesWhatGrewAfterTheWarmup()
    {
        const auto grown = [](const char *stack) {
            std::vector<std::int64_t> bytes;
            for (int i = 1; i <= 12; ++i)
                bytes.push_back(i * 1'000'000);
            SnapshotBuilder builder;
            for (const char *known : {"main;loadsItsTables;malloc", "main;keepsForEver;malloc"})
                builder.stack(known); // both know the program
            builder.ticks(12, Duration::fromMs(1000)).metric(Metric::Anonymous, bytes).growth(stack, bytes);
            return builder.build();
        };
        Snapshot session = grown("main;loadsItsTables;malloc");
        QCOMPARE(soakPlaces(session).size(), std::size_t{1});
        QCOMPARE(soakPlaces(session)[0].function, std::string("loadsItsTables"));
        session.afterWarmup = std::make_shared<const Snapshot>(grown("main;keepsForEver;malloc"));
        QCOMPARE(soakPlaces(session).size(), std::size_t{1});
        QCOMPARE(soakPlaces(session)[0].function, std::string("keepsForEver"));
    }

    void mergesWhatComesLater()
    {
        SoakRecord record, next;
        record.loads = {{0, "a", 1, 0, {}}, {1, "b", 1, 0, {}}};
        next.loads = {{1, "b", 7, 2, "ended"}};
        next.points = {{0, SoakQuantity::Rss, 1, 5, 0}};
        next.end = SoakEnd{SoakOutcome::Stable, true, {}, {}};
        QVERIFY(!next.isEmpty() && SoakRecord().isEmpty());
        record.merge(next);
        QCOMPARE(record.loads.size(), std::size_t{2});
        QCOMPARE(record.loads[1].starts, std::int64_t{7});
        QCOMPARE(record.points.size(), std::size_t{1});
        QVERIFY(record.end.has_value());
    }
};

QTEST_APPLESS_MAIN(SoakTrialTest)
#include "soak_trial_test.moc"
