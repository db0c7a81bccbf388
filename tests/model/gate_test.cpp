// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/baseline.h"
#include "model/gate/drift.h"
#include "model/gate/rank_tests.h"
#include "model/report/gate_report.h"
#include "tests/support/gate_noise.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>
#include <QXmlStreamReader>

#include <nlohmann/json.hpp>

#include <cmath>
#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

namespace {

bool isNear(double value, double expected, double tolerance = 1e-6) { return std::abs(value - expected) <= tolerance; }

GateFinding judged(
    GateKey key, std::vector<double> base, std::vector<double> current, const GateLimits &limits = usualGateLimits())
{
    return judgeGate({{key, std::move(base), std::move(current), {}}}, limits).front();
}

Snapshot heapOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.heap(lines);
    return builder.build();
}

Baseline baselineOf(std::string_view lines, std::size_t most = kMostBaselineStacks)
{
    Baseline baseline;
    baseline.origin = {"app --fast", "2026-01-02T03:04:05Z", "main", "0123456789abcdef", "x86_64", "first\tone"};
    baseline.values[GateKey::Allocations] = {12};
    baseline.values[GateKey::WallTime] = {1e9, 1.1e9, 1.05e9};
    const SessionStacks stacks = stacksOf(heapOf(lines), most);
    baseline.stacks = stacks.stacks;
    baseline.rest = stacks.rest;
    return baseline;
}

GateReport reportOf(GateOutcome outcome)
{
    GateReport report{.command = "new <a> & \"b\"", .against = "old|x"};
    GateFinding finding = judged(GateKey::Allocations, {1'000'000, 1'000'000}, {1'100'000, 1'100'000});
    finding.outcome = outcome;
    finding.stacks.push_back({10, 100'010, "main;f<int>(int);operator new",
        {{"operator new", {}}, {"f<int>(int)", "/src/a b.cpp", 12}, {"main", "/src/main.cpp", 3}}, 1});
    report.findings.push_back(finding);
    report.findings.push_back(
        judgeGate({{GateKey::Instructions, {}, {}, "This host does not count instructions."}}, usualGateLimits())
            .front());
    return report;
}

} // namespace

class GateTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ranksAreTestedAsKnown();
    void locationsAreEstimatedAsKnown();
    void valuesMustNotBeExceeded();
    void nothingIsAskedOfASourceThatIsOff();
    void countsAreExact();
    void noisyCountsAreTestedByRanks();
    void theOwnTimeIsJudgedInsteadOfTheWallTime();
    void absentOnesAreNamed();
    void falseAlarmsAreRareAndGrowthIsFound();
    void baselinesReadBack();
    void damagedBaselinesAreRefused_data();
    void damagedBaselinesAreRefused();
    void baselinesOfVersion1AreRead();
    void aBaselineThatIsCutOffIsRefused();
    void grownStacksAreFoundByABaseline();
    void timesOfStacksAddUpToTheMeasuredTime();
    void historiesMergeInAnyOrder();
    void levelsThatChangeAreFound();
    void slowDriftIsFoundWithin20Commits();
    void formsOfTheAnswerAreWhole();
};

void GateTest::ranksAreTestedAsKnown()
{
    const std::vector<double> a{1.1, 2.2, 3.3, 4.4};
    const std::vector<double> b{5.5, 6.6, 7.7, 8.8};
    // All of b above all of a: one order of the 70.
    QVERIFY(isNear(mannWhitney(a, b).pValue, 1.0 / 70));
    QCOMPARE(mannWhitney(a, b).superiority, 1.0);
    QCOMPARE(mannWhitney(b, a).pValue, 1.0);
    // Hollander and Wolfe's permeability data, as in R's help of wilcox.test: W = 35, p = 0.1272 for "greater".
    const std::vector<double> x{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    const std::vector<double> y{1.15, 0.88, 0.90, 0.74, 1.21};
    QVERIFY(isNear(mannWhitney(y, x).pValue, 0.1272, 5e-5));
    // Ties: the normal approximation.
    const double tied = mannWhitney(std::vector<double>{1, 1, 2, 2}, std::vector<double>{2, 2, 3, 3}).pValue;
    QVERIFY2(tied > 0.02 && tied < 0.06, qPrintable(QString::number(tied)));
    QCOMPARE(mannWhitney({}, a).pValue, 1.0);
    QCOMPARE(mannWhitney(std::vector<double>{1, 1}, std::vector<double>{1, 1}).pValue, 1.0);
}

void GateTest::locationsAreEstimatedAsKnown()
{
    QCOMPARE(hodgesLehmann(std::vector<double>{1, 2, 3}).estimate, 2.0);
    QVERIFY(std::isinf(hodgesLehmann(std::vector<double>{1, 2, 3}).interval95.high));
    // Hollander and Wolfe's depression data, as in R: wilcox.test(x, y, paired = TRUE, conf.int = TRUE): 0.46, 95 % 0.010 … 0.786.
    const std::vector<double> x{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    const std::vector<double> y{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    std::vector<double> differences;
    for (std::size_t i = 0; i < x.size(); ++i)
        differences.push_back(x[i] - y[i]);
    const Location location = hodgesLehmann(differences);
    QVERIFY(isNear(location.estimate, 0.46, 1e-3));
    QVERIFY2(isNear(location.interval95.low, 0.010, 1e-3) && isNear(location.interval95.high, 0.786, 1e-3),
        qPrintable(QString::number(location.interval95.low) + QChar(u' ') + QString::number(location.interval95.high)));
    QCOMPARE(medianOf(std::vector<double>{4, 1, 3, 2}), 2.5);
}

void GateTest::valuesMustNotBeExceeded()
{
    GateLimits limits = usualGateLimits();
    limits[static_cast<std::size_t>(GateKey::PeakBytes)].most = 64 << 20;
    const auto peak = [&limits](std::vector<double> base, std::vector<double> current) {
        return judged(GateKey::PeakBytes, std::move(base), std::move(current), limits);
    };
    QCOMPARE(peak({}, {64 << 20}).outcome, GateOutcome::Passed);
    const GateFinding beyond = peak({}, {70 << 20});
    QCOMPARE(beyond.outcome, GateOutcome::Worse);
    QVERIFY2(findingText(beyond).ends_with("70 MiB, 6 MiB (9.4 %) more than the limit of 64 MiB"),
        findingText(beyond).c_str());
    QCOMPARE(peak({70 << 20, 70 << 20}, {70 << 20, 70 << 20}).outcome, GateOutcome::Worse); // not grown, and too much
    QCOMPARE(peak({1 << 20, 1 << 20}, {2 << 20, 2 << 20}).outcome, GateOutcome::Worse); // grown, and within the value
    QCOMPARE(peak({}, {63 << 20, 65 << 20}).outcome, GateOutcome::Unclear);
    const GateFinding blind = peak({}, {});
    QVERIFY(blind.isBlind());
    QCOMPARE(verdictOf({blind}), GateOutcome::Unclear);
    QCOMPARE(judged(GateKey::Allocations, {}, {}, limits).isBlind(), false);
    limits[static_cast<std::size_t>(GateKey::Allocations)].isOff = true;
    QCOMPARE(judged(GateKey::Allocations, {1, 1}, {1e9, 1e9}, limits).outcome, GateOutcome::Grown);
}

void GateTest::nothingIsAskedOfASourceThatIsOff()
{
    GateLimits limits = usualGateLimits();
    QVERIFY(isJudged(limits, GateSource::Time));
    for (const GateKey key : {GateKey::CpuTime, GateKey::OwnTime, GateKey::WallTime})
        limits[static_cast<std::size_t>(key)].isOff = true;
    QVERIFY(!isJudged(limits, GateSource::Time));
    QVERIFY(isJudged(limits, GateSource::Counter));
    limits[static_cast<std::size_t>(GateKey::WallTime)].most = 1e9;
    QVERIFY(isJudged(limits, GateSource::Time));
}

void GateTest::countsAreExact()
{
    QCOMPARE(judged(GateKey::Allocations, {1e6, 1e6}, {1e6, 1e6}).outcome, GateOutcome::Passed);
    QCOMPARE(judged(GateKey::Allocations, {1e6, 1e6}, {1e6 + 1, 1e6 + 1}).outcome, GateOutcome::Grown);
    QCOMPARE(judged(GateKey::Allocations, {1e6, 1e6}, {1.005e6, 1.005e6}).outcome, GateOutcome::Grown);
    QCOMPARE(judged(GateKey::Allocations, {1e6, 1e6}, {1.005e6 + 1, 1.005e6 + 1}).outcome, GateOutcome::Worse);
    QCOMPARE(judged(GateKey::LeftBlocks, {7, 7}, {8, 8}).outcome, GateOutcome::Worse);
    QCOMPARE(judged(GateKey::LeftBlocks, {0, 0}, {1, 1}).outcome, GateOutcome::Worse);
    QCOMPARE(judged(GateKey::Allocations, {1e6, 1e6}, {9e5, 9e5}).outcome, GateOutcome::Passed);
    GateLimits none{};
    const GateFinding finding = judged(GateKey::Allocations, {1e6, 1e6}, {1e6 + 1, 1e6 + 1}, none);
    QCOMPARE(finding.outcome, GateOutcome::Worse);
    QVERIFY2(findingText(finding).find("1,000,000 → 1,000,001 (+1, +0.0001 %), limit +0") != std::string::npos,
        findingText(finding).c_str());
}

void GateTest::noisyCountsAreTestedByRanks()
{
    const GateFinding noisy
        = judged(GateKey::Allocations, {100, 101, 102, 99, 100, 101}, {101, 100, 102, 100, 99, 101});
    QVERIFY(noisy.isNoisy);
    QCOMPARE(noisy.outcome, GateOutcome::Passed);
    QCOMPARE(judged(GateKey::Allocations, {100, 101, 102, 99, 100, 101}, {111, 110, 112, 110, 109, 111}).outcome,
        GateOutcome::Worse);
    const GateFinding few = judged(GateKey::Allocations, {100, 101}, {103, 104});
    QCOMPARE(few.outcome, GateOutcome::Unclear);
    QVERIFY(findingText(few).find("too noisy") != std::string::npos);
    const GateFinding wild = judged(GateKey::WallTime, {1, 2, 3, 1, 2, 3, 1, 2}, {2, 1, 2, 3, 1, 3, 2, 2});
    QCOMPARE(wild.outcome, GateOutcome::Unclear);
    QVERIFY(wild.neededRuns > 500);
    QVERIFY(findingText(wild).ends_with("too noisy to tell, more runs would be needed than are worth it"));
}

void GateTest::theOwnTimeIsJudgedInsteadOfTheWallTime()
{
    const std::vector<double> wild{10e6, 20e6, 30e6, 10e6, 20e6, 30e6};
    const std::vector<double> wilder{20e6, 30e6, 40e6, 20e6, 40e6, 30e6};
    const std::vector<double> own{4e6, 4.01e6, 4e6, 4.02e6, 4.01e6, 4e6};
    GateLimits limits = usualGateLimits();
    const auto judge = [&](const std::vector<double> &current) {
        return judgeGate({{GateKey::OwnTime, own, current, {}}, {GateKey::WallTime, wild, wilder, {}}}, limits);
    };
    const auto same = judge(own);
    QCOMPARE(verdictOf(same), GateOutcome::Passed);
    QVERIFY(same[1].isOnlyTold && isSettled(same));
    QVERIFY(isNear(same[1].waitedShare, 1 - 4.005 / 30, 1e-9));
    QVERIFY2(findingText(same[1]).find("87 % of it waiting for a processor") != std::string::npos,
        findingText(same[1]).c_str());
    std::vector<double> slower = own;
    for (double &value : slower)
        value *= 1.05;
    QCOMPARE(judge(slower)[0].outcome, GateOutcome::Worse);
    limits[static_cast<std::size_t>(GateKey::WallTime)].most = 15e6; // whoever had the processor
    QCOMPARE(judge(own)[1].outcome, GateOutcome::Worse);
    const auto unknown = judgeGate(
        {{GateKey::OwnTime, {}, {}, "Other threads."}, {GateKey::WallTime, wild, wilder, {}}}, usualGateLimits());
    QVERIFY(!unknown[1].isOnlyTold);
    QCOMPARE(verdictOf(unknown), GateOutcome::Unclear);
}

void GateTest::absentOnesAreNamed()
{
    const GateFinding absent
        = judgeGate({{GateKey::Instructions, {}, {}, "This host does not count instructions."}}, usualGateLimits())
              .front();
    QCOMPARE(absent.outcome, GateOutcome::Absent);
    QVERIFY(findingText(absent).find("does not count instructions") != std::string::npos);
    QCOMPARE(verdictOf({absent}), GateOutcome::Passed);
}

void GateTest::falseAlarmsAreRareAndGrowthIsFound()
{
    // The bench of the same name makes these figures sharp.
    Random random(7);
    const tests::GateRates same = tests::gateRates(tests::sharedMachineNoise, tests::OwnTimes::Unknown, 0, 40, random);
    QVERIFY2(same.worse <= 0.03, qPrintable(QString::number(same.worse)));
    const tests::GateRates slower
        = tests::gateRates(tests::sharedMachineNoise, tests::OwnTimes::Unknown, 0.05, 40, random);
    QVERIFY2(slower.worse >= 0.85, qPrintable(QString::number(slower.worse)));
}

void GateTest::baselinesReadBack()
{
    const Baseline baseline = baselineOf("main;f(int) 64\nmain;g;h 10\nmain;g;h 10");
    const std::string text = baselineText(baseline);
    const auto read = readBaseline(text);
    QVERIFY(read);
    QCOMPARE(read->origin.reason, std::string("first one"));
    QCOMPARE(read->origin.commit, baseline.origin.commit);
    QVERIFY(read->values == baseline.values);
    QVERIFY(read->stacks == baseline.stacks);
    QCOMPARE(read->stacks.size(), std::size_t{2});
    QCOMPARE(read->stacks.at("main;g;h")[0], 2);
    QCOMPARE(baselineText(*read), text);
    // Outside a repository nothing is known of a commit, and nothing is said of one.
    Baseline outside = baseline;
    outside.origin.branch.clear();
    outside.origin.commit.clear();
    QVERIFY(baselineText(outside).find("commit") == std::string::npos);
    QVERIFY(historyLine(outside).find("branch=") == std::string::npos);
    QCOMPARE(readBaseline(baselineText(outside))->origin.commit, std::string());
    QCOMPARE(readHistory(historyLine(outside)).entries.size(), std::size_t{1});
    const Baseline small = baselineOf("main;f 64\nmain;g 1\nmain;h 1", 1);
    QCOMPARE(small.stacks.size(), std::size_t{1});
    QCOMPARE(small.rest[0], 2);
}

void GateTest::damagedBaselinesAreRefused_data()
{
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("no baseline") << QByteArray("genprof-baseline 2") << QByteArray("genprof-baseline 9")
                                 << QByteArray("no baseline");
    QTest::newRow("conflict") << QByteArray("rest ") << QByteArray("<<<<<<< HEAD\nrest ") << QByteArray("conflict");
    QTest::newRow("no number") << QByteArray("value allocations 12") << QByteArray("value allocations x")
                               << QByteArray("damaged");
    QTest::newRow("no such key") << QByteArray("value allocations") << QByteArray("value allocation")
                                 << QByteArray("damaged");
    QTest::newRow("cut") << QByteArray("stack 1 64") << QByteArray("stack 1\n64") << QByteArray("damaged");
    QTest::newRow("no end") << QByteArray("end 12\n") << QByteArray() << QByteArray("cut off");
    QTest::newRow("a line less") << QByteArray("value allocations 12\n") << QByteArray() << QByteArray("lost");
}

void GateTest::damagedBaselinesAreRefused()
{
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    QFETCH(QByteArray, says);
    QByteArray text = QByteArray::fromStdString(baselineText(baselineOf("main;f 64")));
    QVERIFY(text.contains(from));
    const auto read = readBaseline(text.replace(from, to).toStdString());
    QVERIFY(!read);
    QVERIFY2(read.error().text().find(says.toStdString()) != std::string::npos, read.error().text().c_str());
}

/// They have no last line, and lines without a text for what is not known.
void GateTest::baselinesOfVersion1AreRead()
{
    const std::string text = "genprof-baseline 1\ncommand app --fast\ndate 2026-01-02T03:04:05Z\nbranch \n"
                             "commit \nmachine x86_64\nreason first one\nvalue allocations 12\n"
                             "value wall_ns 1000000000 1100000000 1050000000\nrest 0 0 0 0 0 0\n"
                             "stack 1 64 0 64 64 1 main;f\nstack 2 20 0 20 20 2 main;g;h\n";
    const auto read = readBaseline(text);
    QVERIFY2(read.has_value(), read ? "" : read.error().text().c_str());
    QCOMPARE(read->origin.command, std::string("app --fast"));
    QCOMPARE(read->origin.reason, std::string("first one"));
    QVERIFY(read->origin.branch.empty() && read->origin.commit.empty());
    QVERIFY((read->values.at(GateKey::Allocations) == std::vector<double>{12}));
    QVERIFY((read->values.at(GateKey::WallTime) == std::vector<double>{1e9, 1.1e9, 1.05e9}));
    QCOMPARE(read->stacks.size(), std::size_t{2});
    QCOMPARE(read->stacks.at("main;g;h")[1], 20);
    // Saved again it is of this version; no last line of that one belongs into it.
    QVERIFY(baselineText(*read).starts_with("genprof-baseline 2\n"));
    const auto mixed = readBaseline(text + "end 13\n");
    QVERIFY(!mixed);
    QCOMPARE(mixed.error().text(), std::string("Line 13 is damaged: \"end 13\""));
}

/// Wherever that is: what is left begins with the values, and would pass for a version that has fewer stacks.
void GateTest::aBaselineThatIsCutOffIsRefused()
{
    const std::string text = baselineText(baselineOf("main;f 64\nmain;g;h 10"));
    QVERIFY(text.starts_with("genprof-baseline 2\n") && text.ends_with("\nend 13\n"));
    for (std::size_t size = 0; size + 1 < text.size(); ++size)
        QVERIFY2(!readBaseline(text.substr(0, size)), text.substr(0, size).c_str());
    for (std::size_t line = text.find('\n'); line + 1 < text.size(); line = text.find('\n', line + 1)) {
        const auto read = readBaseline(text.substr(0, line + 1));
        QVERIFY2(!read && read.error().text().starts_with("It is cut off: its last line"),
            read ? "read" : read.error().text().c_str());
    }
}

void GateTest::grownStacksAreFoundByABaseline()
{
    const Baseline baseline = baselineOf("main;f.part.0@f.cpp:1 64\nmain;g@g.cpp:2 10");
    const Snapshot now = heapOf("main;f.isra.1@f.cpp:9 64\nmain;g@g.cpp:7 10\nmain;g@g.cpp:7 10");
    const auto stacks = grownStacks(baseline, now, GateKey::Allocations, 3);
    QCOMPARE(stacks.size(), std::size_t{1});
    QCOMPARE(stacks[0].stack, std::string("main;g"));
    QCOMPARE(stacks[0].current, 2.0);
    QCOMPARE(stacks[0].frame().file, std::string("g.cpp"));
    QCOMPARE(stacks[0].frame().line, 7u);
    QCOMPARE(stacks[0].frames.size(), std::size_t{2});
    const auto asked = grownStacks(
        baseline, heapOf("main;f 64\nmain;g 10\nmain;h@h.cpp:5;libc.so.6!malloc 99"), GateKey::Allocations, 1);
    QCOMPARE(asked.size(), std::size_t{1});
    QCOMPARE(asked[0].frame().function, std::string("h"));
    QCOMPARE(asked[0].shown, std::size_t{1});
    QVERIFY(grownStacks(baseline, heapOf("main;f 64\nmain;g 10"), GateKey::PeakBytes, 3).empty());
}

/// 1 s and 1.5 s were measured; of the base more samples are missing than of the current version.
void GateTest::timesOfStacksAddUpToTheMeasuredTime()
{
    const auto sampled = [](std::string_view lines) {
        SnapshotBuilder builder;
        builder.cpu(lines);
        return std::make_shared<const Snapshot>(builder.build());
    };
    const std::array recordings{sampled("main;work 1200\nmain;rest 300\n"), sampled("main;work 4000\nmain;rest 800\n")};
    const std::vector<GateStack> stacks = grownCpuStacks(recordings, {1e9, 1.5e9}, 3);
    QVERIFY(!stacks.empty());
    QCOMPARE(stacks.front().frame().function, std::string("work"));
    QVERIFY2(isNear(stacks.front().base, 0.8e9, 1), qPrintable(QString::number(stacks.front().base)));
    QVERIFY2(isNear(stacks.front().current, 1.25e9, 1), qPrintable(QString::number(stacks.front().current)));
    const std::vector<GateStack> unknown = grownCpuStacks(recordings, {0, 0}, 3);
    QVERIFY(isNear(unknown.front().base, 6e9, 1));
}

void GateTest::historiesMergeInAnyOrder()
{
    Baseline baseline = baselineOf("main;f 64");
    const std::string first = historyLine(baseline);
    baseline.origin.date = "2026-01-03T00:00:00Z";
    baseline.values[GateKey::Allocations] = {13};
    const std::string second = historyLine(baseline);
    const History history = readHistory(second + "<<<<<<< HEAD\n" + first + second + "\n");
    QCOMPARE(history.entries.size(), std::size_t{2});
    QCOMPARE(history.unreadable, std::size_t{1});
    QCOMPARE(history.entries[0].values.at(GateKey::Allocations), 12.0);
    QCOMPARE(history.entries[1].values.at(GateKey::Allocations), 13.0);
    QCOMPARE(history.entries[0].values.at(GateKey::WallTime), 1.05e9);
}

void GateTest::levelsThatChangeAreFound()
{
    const std::vector<double> step{10, 11, 10, 11, 10, 11, 10, 20, 21, 20, 21, 20, 21};
    const auto changes = changePoints(step);
    QCOMPARE(changes.size(), std::size_t{1});
    QCOMPARE(changes[0].position, std::size_t{7});
    QVERIFY(isNear(changes[0].before, 10 + 3.0 / 7) && isNear(changes[0].after, 20.5));
    QVERIFY(changePoints(std::vector<double>(20, 5.0)).empty());
    QVERIFY(changePoints(std::vector<double>{1, 2}).empty());
    Random random(3);
    int found = 0;
    for (int i = 0; i < 200; ++i) {
        std::vector<double> noise;
        for (int j = 0; j < 20; ++j)
            noise.push_back(100 + random.normal());
        found += changePoints(noise).empty() ? 0 : 1;
    }
    QVERIFY2(found <= 12, qPrintable(QString::number(found)));
}

void GateTest::slowDriftIsFoundWithin20Commits()
{
    Random random(5);
    int found = 0;
    int wrong = 0;
    constexpr int kHistories = 50;
    for (int i = 0; i < kHistories; ++i)
        for (const double growth : {0.005, 0.0}) {
            History history;
            double level = 1e9;
            for (int commit = 0; commit < 20; ++commit, level *= 1 + growth) {
                Baseline baseline = baselineOf("main;f 64");
                baseline.origin.date = QString::asprintf("2026-01-%02dT00:00:00Z", commit + 1).toStdString();
                baseline.values = {{GateKey::WallTime, {level * (1 + 0.01 * random.normal())}}};
                history.entries.push_back(readHistory(historyLine(baseline)).entries.front());
            }
            (growth > 0 ? found : wrong) += findDrift(history).empty() ? 0 : 1;
        }
    QVERIFY2(found >= 49, qPrintable(QString::number(found)));
    QVERIFY2(wrong <= 1, qPrintable(QString::number(wrong)));
}

void GateTest::formsOfTheAnswerAreWhole()
{
    const GateReport report = reportOf(GateOutcome::Worse);
    std::ostringstream text;
    writeGateText(text, report);
    QVERIFY2(text.str().find("WORSE") != std::string::npos, text.str().c_str());
    QVERIFY2(text.str().find("operator new ← f<…> (a b.cpp:12) ← main (main.cpp:3)\n") != std::string::npos,
        text.str().c_str());
    std::ostringstream junit;
    writeGateJunit(junit, report);
    QXmlStreamReader xml(QByteArray::fromStdString(junit.str()));
    int failures = 0;
    int skipped = 0;
    while (!xml.atEnd()) {
        xml.readNext();
        failures += xml.isStartElement() && xml.name() == QLatin1String("failure") ? 1 : 0;
        skipped += xml.isStartElement() && xml.name() == QLatin1String("skipped") ? 1 : 0;
    }
    QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
    QCOMPARE(failures, 1);
    QCOMPARE(skipped, 1);
    std::ostringstream sarif;
    writeGateSarif(sarif, report, "/src");
    const auto parsed = nlohmann::json::parse(sarif.str());
    const auto &result = parsed["runs"][0]["results"][0];
    QCOMPARE(result["level"].get<std::string>(), std::string("error"));
    const auto &location = result["locations"][0]["physicalLocation"];
    QCOMPARE(location["artifactLocation"]["uri"].get<std::string>(), std::string("a%20b.cpp"));
    QCOMPARE(location["region"]["startLine"].get<int>(), 12);
    const auto &frames = result["stacks"][0]["frames"];
    QCOMPARE(frames.size(), std::size_t{3});
    QVERIFY(!frames[0]["location"].contains("physicalLocation"));
    QCOMPARE(frames[2]["location"]["physicalLocation"]["region"]["startLine"].get<int>(), 3);
    QVERIFY(parsed["runs"][0]["tool"]["driver"]["rules"].is_array());
    GateReport placeless = report;
    placeless.command = "build/app --selftest";
    for (GateFinding &finding : placeless.findings)
        finding.stacks.clear();
    std::ostringstream placelessSarif;
    writeGateSarif(placelessSarif, placeless, "/src");
    const auto results = nlohmann::json::parse(placelessSarif.str())["runs"][0]["results"];
    QVERIFY(!results.empty());
    for (const auto &each : results)
        QCOMPARE(each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].get<std::string>(),
            std::string("build/app"));
    std::ostringstream markdown;
    writeGateMarkdown(markdown, report);
    QVERIFY(markdown.str().find("**worse**") != std::string::npos);
    QVERIFY(markdown.str().find("<a>") == std::string::npos);
    std::ostringstream json;
    writeGateJson(json, report);
    const auto stack = nlohmann::json::parse(json.str())["findings"][0]["stacks"][0];
    QCOMPARE(stack["line"].get<int>(), 12);
    QCOMPARE(stack["frames"][2]["file"].get<std::string>(), std::string("/src/main.cpp"));
    QVERIFY2(junit.str().find("\n    main  /src/main.cpp:3\n") != std::string::npos, junit.str().c_str());
    GateReport failed{.command = "x", .failure = "x ended with status 1", .hasProgramFailed = true};
    std::ostringstream failedSarif;
    writeGateSarif(failedSarif, failed, "");
    QVERIFY(nlohmann::json::parse(failedSarif.str())["runs"][0]["invocations"][0]["executionSuccessful"] == false);
    QCOMPARE(gateVerdictText(failed), std::string("program failed"));
}

QTEST_APPLESS_MAIN(GateTest)
#include "gate_test.moc"
