// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_text.h"
#include "model/compare/compared_costs.h"
#include "model/compare/multiple_tests.h"
#include "model/compare/near_sequences.h"
#include "model/compare/rate_test.h"
#include "model/kernel_samples.h"
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "model/report/difference_words.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// A snapshot of heap events; `build` is the build-id of all its modules.
SnapshotPointer heapOf(std::string_view lines, const char *build)
{
    SnapshotBuilder builder;
    builder.heap(lines);
    Snapshot snapshot = builder.build();
    auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
    tables->strings.emplace_back(build);
    for (Module &module : tables->modules)
        module.buildId = StringId(tables->strings.size() - 1);
    snapshot.tables = tables;
    snapshot.info.config.heap = HeapMode::Full;
    return std::make_shared<const Snapshot>(std::move(snapshot));
}

SnapshotPointer cpuOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.cpu(lines);
    Snapshot snapshot = builder.build();
    snapshot.info.cpuEvent = "cpu-clock";
    return std::make_shared<const Snapshot>(std::move(snapshot));
}

Comparison compared(const SnapshotPointer &a, const SnapshotPointer &b, CostKind kind = CostKind::Allocated)
{
    return *compare({a, 1}, {b, 1}, kind);
}

/// Groups that differ, as "change stack" in the order of the list.
std::string differing(const Comparison &comparison)
{
    std::string text;
    for (const StackDifference &row : comparison.stacks)
        if (row.cost.isSignificant)
            text += QString::asprintf("%+.0f ", row.cost.change()).toStdString()
                + collapsedStack(*comparison.indexes[sideIndex(row.side)], row.stack) + '\n';
    return text;
}

} // namespace

class ComparisonTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ratesAreComparedAsKnown();
    void severalTestsAreCorrectedAsKnown();
    void nearSequencesLeaveOutCallers();
    void sameStacksAreCompared();
    void inlinedFunctionsMakeNothingNew();
    void whatIsNewInTheSameBuildIsNew();
    void templateArgumentsAndParametersMakeNothingNew();
    void overloadsStayApart();
    void lambdasStayApartInTheSameBuild();
    void rowsSayHowManyFunctionsTheyAreAbout();
    void callersThatWereJumpedOutOfMakeNothingNew();
    void aChangedMemberOfAGroupIsShown();
    void samplesDifferOnlyBeyondChance();
    void whatWasCountedBeforeSamplingIsExact();
    void growthOfASampledHeapIsNotExact();
    void samplesOfEachSessionHaveTheirOwnPeriod();
    void theTracersTimeIsLeftOut();
    void costsOfATimeAreDividedByWork();
    void whatOneDidNotRecordIsNotCompared();
    void cpuTimeIsNotComparedWhereOneHasNoneOfTheKernel();
    void whoAskedForMemoryAnswersForIt();
    void manyTimesAsMuchIsARatio();
    void reportsSayBothSides();
};

void ComparisonTest::ratesAreComparedAsKnown()
{
    // R: binom.test(20, 30)$p.value = 0.09873715; doubled smaller tail of a symmetric binomial is the same.
    QVERIFY(std::abs(rateTest(10, 1, 20, 1).pValue - 0.09873715) < 1e-7);
    // R: poisson.test(c(11, 6), c(800, 1083))$p.value is 0.0797 by another rule for the other tail; doubled: 2·P(X ≥ 11 | 17, 800/1883).
    const double doubled = rateTest(6, 1083, 11, 800).pValue;
    QVERIFY2(doubled > 0.07 && doubled < 0.13, qPrintable(QString::number(doubled)));
    const RateTest many = rateTest(10'000, 1, 10'500, 1);
    QVERIFY(many.pValue < 0.001);
    QVERIFY(many.ratio95.low > 1.02 && many.ratio95.low < 1.05 && many.ratio95.high > 1.05 && many.ratio95.high < 1.08);
    QCOMPARE(rateTest(100, 1, 200, 2).pValue > 0.9, true);
    QVERIFY(std::isinf(rateTest(0, 1, 5, 1).ratio95.high));
    QCOMPARE(rateTest(0, 1, 0, 1).pValue, 1.0);
}

void ComparisonTest::severalTestsAreCorrectedAsKnown()
{
    // R: p.adjust(c(.01, .02, .03, .005), "holm") and "BH".
    const std::vector<double> p{.01, .02, .03, .005};
    const std::vector<double> byHolm{.03, .04, .04, .02};
    const std::vector<double> byHochberg{.02, .08 / 3, .03, .02};
    for (std::size_t i = 0; i < p.size(); ++i) {
        QVERIFY(std::abs(holm(p)[i] - byHolm[i]) < 1e-12);
        QVERIFY(std::abs(benjaminiHochberg(p)[i] - byHochberg[i]) < 1e-12);
    }
    QVERIFY(holm({}).empty());
}

void ComparisonTest::nearSequencesLeaveOutCallers()
{
    using Sequence = std::vector<std::uint32_t>;
    const std::vector<Sequence> a{{1, 2, 3, 4}, {5, 6, 7}, {9, 8, 7, 6, 5, 4, 3}};
    const std::vector<Sequence> b{{5, 9, 7}, {1, 3, 4}, {2, 2, 2}, {9, 6, 3}};
    const auto pairs = nearSequences(a, b);
    QCOMPARE(pairs.size(), std::size_t{3});
    QCOMPARE(pairs[0], (std::pair<std::size_t, std::size_t>{0, 1}));
    QCOMPARE(pairs[1], (std::pair<std::size_t, std::size_t>{1, 0}));
    QCOMPARE(pairs[2], (std::pair<std::size_t, std::size_t>{2, 3}));
    QVERIFY(nearSequences(std::vector<Sequence>{{1, 2}}, std::vector<Sequence>{{3, 4}}).empty());
}

void ComparisonTest::sameStacksAreCompared()
{
    const Comparison result = compared(heapOf("main;f 64\nmain;g 10", "1"), heapOf("main;f 64\nmain;g 30", "2"));
    QCOMPARE(differing(result), std::string("+20 main;g\n"));
    QCOMPARE(result.matchedShare, 1.0);
    QCOMPARE(result.certainty, Certainty::Exact);
    QCOMPARE(result.total.change(), 20.0);
    QCOMPARE(result.stacks.size(), std::size_t{2});
}

void ComparisonTest::inlinedFunctionsMakeNothingNew()
{
    // Without debug information: h is gone from B, i from A.
    const Comparison result = compared(
        heapOf("main;f;h;malloc 64\nmain;g;malloc 10", "1"), heapOf("main;f;malloc 64\nmain;g;i;malloc 10", "2"));
    QCOMPARE(differing(result), std::string());
    QCOMPARE(result.matchedShare, 1.0);
}

void ComparisonTest::whatIsNewInTheSameBuildIsNew()
{
    const Comparison result
        = compared(heapOf("main;f;malloc 64", "1"), heapOf("main;f;malloc 64\nmain;f;h;malloc 5", "1"));
    QCOMPARE(differing(result), std::string("+5 main;f;h;malloc\n"));
    QVERIFY(!result.stacks.front().isInA);
}

void ComparisonTest::templateArgumentsAndParametersMakeNothingNew()
{
    const Comparison result = compared(
        heapOf("main;fill<int>(int);run(int) 64", "1"), heapOf("main;fill<long>(long);run(int, int) 64", "2"));
    QCOMPARE(differing(result), std::string());
    QCOMPARE(result.matchedShare, 1.0);
}

void ComparisonTest::overloadsStayApart()
{
    const Comparison result = compared(
        heapOf("main;put(int) 64\nmain;put(char) 10", "1"), heapOf("main;put(int) 60\nmain;put(char) 14", "2"));
    QCOMPARE(result.stacks.size(), std::size_t{2});
    QCOMPARE(std::abs(result.stacks[0].cost.change()), 4.0);
}

void ComparisonTest::lambdasStayApartInTheSameBuild()
{
    const char *const before = "main;run()::{lambda()#1}::operator() 64\nmain;run()::{lambda()#2}::operator() 10";
    const char *const after = "main;run()::{lambda()#1}::operator() 60\nmain;run()::{lambda()#3}::operator() 14";
    QCOMPARE(differing(compared(heapOf(before, "1"), heapOf(after, "1"))),
        std::string("+14 main;run()::{lambda()#3}::operator()\n-10 main;run()::{lambda()#2}::operator()\n"
                    "-4 main;run()::{lambda()#1}::operator()\n"));
    // Another build numbers them anew.
    QCOMPARE(differing(compared(heapOf(before, "1"), heapOf(after, "2"))), std::string());
}

void ComparisonTest::rowsSayHowManyFunctionsTheyAreAbout()
{
    const auto before = heapOf("main;run()::{lambda()#1}::operator() 64\nmain;run()::{lambda()#2}::operator() 10", "1");
    const auto after = heapOf("main;run()::{lambda()#1}::operator() 99\nmain;parse.part.0 1\nmain;parse.cold 1", "2");
    const Comparison result = compared(before, after);
    std::map<std::string, std::uint32_t> counts;
    for (const FunctionDifference &row : result.functions)
        counts[shortFunctionName(result.indexes[sideIndex(row.side)]->name(row.shown))] += row.functions;
    QCOMPARE(counts[shortFunctionName("run()::{lambda()#1}::operator()")], 2u);
    QCOMPARE(counts["main"], 1u);
    QCOMPARE(counts["parse.part.0"] + counts["parse.cold"], 1u); // parts of one
    std::ostringstream text;
    writeComparisonText(text, *compareSessions(before, after, {}, comparableCosts()));
    QVERIFY2(text.str().find("(2 functions)") != std::string::npos, text.str().c_str());
    QVERIFY2(text.str().find("(3 functions)") == std::string::npos, text.str().c_str());
}

void ComparisonTest::callersThatWereJumpedOutOfMakeNothingNew()
{
    const Comparison result = compared(heapOf("main;a;b;c;malloc 64\nmain;a 1\nmain;b 1\nmain;c 1", "1"),
        heapOf("main;c;malloc 64\nmain;a 1\nmain;b 1\nmain;c 1", "2"));
    QCOMPARE(differing(result), std::string());
}

void ComparisonTest::aChangedMemberOfAGroupIsShown()
{
    const Comparison result
        = compared(heapOf("main;f;malloc 64", "1"), heapOf("main;f;malloc 64\nmain;f;added;malloc 5", "2"));
    QCOMPARE(differing(result), std::string("+5 main;f;added;malloc\n"));
}

void ComparisonTest::samplesDifferOnlyBeyondChance()
{
    const Comparison same
        = compared(cpuOf("main;f 100\nmain;g 400"), cpuOf("main;f 110\nmain;g 390"), CostKind::CpuTime);
    QCOMPARE(same.certainty, Certainty::Estimated);
    QCOMPARE(differing(same), std::string());
    const Comparison worse
        = compared(cpuOf("main;f 100\nmain;g 400"), cpuOf("main;f 200\nmain;g 400"), CostKind::CpuTime);
    QCOMPARE(differing(worse), std::string("+500000000 main;f\n")); // 100 samples of 5 ms
    QVERIFY(worse.stacks.front().cost.ratio95.low > 1.5 && worse.stacks.front().cost.ratio95.high < 2.6);
}

void ComparisonTest::whatWasCountedBeforeSamplingIsExact()
{
    // Full, then sampled: of the allocations all are known, whatever number of them the tick of the change had.
    const auto mixed = [](std::int64_t samples) {
        Snapshot snapshot = *heapOf("main;f 64", "1");
        snapshot.heapModes.push_back({{}, {0}, 1, HeapModeCause::Begin, 0, 0, 0, 0, 0});
        snapshot.heapModes.push_back({{}, snapshot.span.end, 65536, HeapModeCause::User, 64, 1, 64, 1, 100});
        snapshot.heap.front().samples = samples;
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const Comparison same = compared(mixed(201'999), mixed(0));
    QCOMPARE(same.certainty, Certainty::Estimated);
    QCOMPARE(same.total.ratio95.low, 1.0);
    QCOMPARE(same.total.ratio95.high, 1.0);
    QVERIFY(!same.total.isSignificant);
    QCOMPARE(relativeIntervalText(same.total, same.certainty), std::string("exact"));
}

void ComparisonTest::growthOfASampledHeapIsNotExact()
{
    // Thinned to samples within the window: no sample stands for any of the bytes that were live at its begin.
    const auto thinned = [](std::int64_t atBegin, std::int64_t live) {
        Snapshot snapshot = *heapOf("main;f 64", "1");
        snapshot.heapModes.push_back({{}, {0}, 1, HeapModeCause::Begin, 0, 0, 0, 0, 0});
        snapshot.heapModes.push_back({{}, snapshot.span.end, 65536, HeapModeCause::User, 64, 1, 64, 1, 100});
        snapshot.heap.front().liveBytesAtBegin = atBegin;
        snapshot.heap.front().liveBytes = live;
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const Comparison shrunk = compared(thinned(1000, 0), thinned(4000, 0), CostKind::Growth);
    QCOMPARE(shrunk.certainty, Certainty::Estimated);
    QCOMPARE(shrunk.total.change(), -3000.0);
    QVERIFY(!shrunk.total.isSignificant && !shrunk.stacks.front().cost.isSignificant);
    QCOMPARE(relativeIntervalText(shrunk.total, shrunk.certainty), std::string());
    // Where nothing was live at the begin, growth is what is live.
    QVERIFY(compared(thinned(0, 1000), thinned(0, 4000), CostKind::Growth).total.isSignificant);
}

void ComparisonTest::samplesOfEachSessionHaveTheirOwnPeriod()
{
    // B is sampled five times as often: six of its samples are what one of A's stands for, so none in A is no surprise.
    const auto often = [](std::string_view lines) {
        Snapshot snapshot = *cpuOf(lines);
        for (CpuCost &row : snapshot.cpu)
            row.timeNs /= 5;
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const SnapshotPointer a = cpuOf("main;f 100");
    const SnapshotPointer b = often("main;f 500\nmain;g 6");
    const auto rowOf = [](const Comparison &comparison, bool isInBoth) {
        for (const StackDifference &row : comparison.stacks)
            if ((row.isInA && row.isInB) == isInBoth)
                return row.cost;
        return Difference();
    };
    const Comparison forwards = compared(a, b, CostKind::CpuTime);
    // All six in B, of whose time A has as much: 2 · (1 / (1 + 1/5))⁶ with the chance of a sample to be B's 5/6.
    QVERIFY2(std::abs(rowOf(forwards, false).pValue - 2 * std::pow(5.0 / 6, 6)) < 1e-9,
        qPrintable(QString::number(rowOf(forwards, false).pValue)));
    QVERIFY(rowOf(forwards, true).pValue > 0.9);
    const Comparison backwards = compared(b, a, CostKind::CpuTime);
    QVERIFY(std::abs(rowOf(backwards, false).pValue - rowOf(forwards, false).pValue) < 1e-9);
}

void ComparisonTest::theTracersTimeIsLeftOut()
{
    const auto traced = [](std::string_view lines) {
        SnapshotBuilder builder;
        builder.cpu(lines);
        TableBuilder &tables = builder.tables();
        const ModuleId module = tables.module("/usr/lib/libgenesis_heaptracer.so", "", ModuleKind::File);
        const FrameId malloc = tables.frame(module, 7, FrameKind::Exact);
        tables.setSymbols(malloc, FrameSymbols::State::Resolved, {{tables.string("malloc"), StringId(0u), 0}});
        builder.raw().cpu.push_back(
            {builder.thread(), builder.image(), tables.stack(builder.stack("main;f"), malloc), 60, 300'000'000});
        // What the kernel does for it counts as its own.
        const ModuleId kernel = tables.module("[kernel]", "", ModuleKind::Kernel);
        FrameId in[] = {tables.frame(kernel, 7, FrameKind::Exact), tables.frame(kernel, 9, FrameKind::Exact)};
        tables.setSymbols(in[0], FrameSymbols::State::Resolved, {{tables.string("do_syscall_64"), StringId(0u), 0}});
        tables.setSymbols(in[1], FrameSymbols::State::Resolved, {{tables.string("perf_tp_event"), StringId(0u), 0}});
        const StackId call = tables.stack(builder.stack("main;f"), in[0]);
        builder.raw().cpu.push_back({builder.thread(), builder.image(), tables.stack(call, in[1]), 40, 200'000'000});
        Snapshot snapshot = builder.build();
        snapshot.info.cpuEvent = "cpu-clock";
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const auto result
        = compareSessions(cpuOf("main;f 300"), traced("main;f 300"), {}, {comparableCostsOf("cpu").front()});
    QVERIFY(result);
    QCOMPARE(result->costs[0].comparison.total.change(), 0.0);
    QCOMPARE(result->costs[0].sessions[1].snapshot->cpu.size(), std::size_t{1});
    QVERIFY2(std::find(result->notes.begin(), result->notes.end(),
                 "B: 500 ms of CPU time in the tracer (25 % of all) are left out.")
            != result->notes.end(),
        result->notes.empty() ? "no notes" : result->notes.back().c_str());
}

void ComparisonTest::costsOfATimeAreDividedByWork()
{
    const auto withMarks = [](std::string_view lines, std::size_t count) {
        Snapshot snapshot = *heapOf(lines, "1");
        for (std::size_t i = 0; i < count; ++i)
            snapshot.marks.push_back({snapshot.span.begin, MarkKind::User, "request"});
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const SnapshotPointer a = withMarks("main;f 100\nmain;f -100", 2);
    const SnapshotPointer b = withMarks("main;f 150\nmain;f -150", 3);
    const std::vector<ComparableCost> costs{comparableCostsOf("allocated").front(), comparableCostsOf("peak").front()};
    const auto perMark = compareSessions(a, b, {PerWork::Mark, "request"}, costs);
    QVERIFY(perMark);
    QCOMPARE(perMark->costs[0].comparison.total.change(), 0.0);
    QCOMPARE(perMark->costs[0].comparison.total.a, 50.0);
    const auto missing = compareSessions(a, b, {PerWork::Mark, "frame"}, costs);
    QVERIFY(!missing);
    QVERIFY(missing.error().text().find("\"request\"") != std::string::npos);
    const auto perSecond = compareSessions(a, b, {PerWork::Second, {}}, costs);
    QVERIFY(perSecond && perSecond->sessions[0].work == a->span.length().seconds());
}

void ComparisonTest::whatOneDidNotRecordIsNotCompared()
{
    const auto recorded = [](bool hasCalls, double seconds) {
        Snapshot snapshot = *heapOf("main;f 100", "1");
        const StackId stack = snapshot.heap.front().stack;
        snapshot.info.config.systemCalls = hasCalls;
        snapshot.span.end = snapshot.span.begin + Duration::fromSeconds(seconds);
        if (hasCalls) {
            ActivityCost &calls = snapshot.activities.emplace_back();
            calls.stack = stack;
            calls.count = 38'940;
        }
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const auto hasCalls = [](const ComparedSessions &compared) {
        return std::any_of(compared.costs.begin(), compared.costs.end(),
            [](const ComparedCost &each) { return each.cost.key == "syscalls"; });
    };
    const auto same = compareSessions(recorded(true, 40), recorded(true, 40), {}, comparableCosts());
    QVERIFY(same && hasCalls(*same));
    const auto result = compareSessions(recorded(true, 40), recorded(false, 500), {}, comparableCosts());
    QVERIFY(result && !hasCalls(*result));
    QVERIFY(std::find(result->notes.begin(), result->notes.end(), "System calls were recorded in A only.")
        != result->notes.end());
    const auto calls = compareSessions(recorded(true, 40), recorded(false, 40), {}, comparableCostsOf("syscalls"));
    QVERIFY(!calls && calls.error().text().find("in A only") != std::string::npos);
    // Nor is what takes longer worse for that.
    QVERIFY(comparisonSummary(*same).sentence.find("lasts") == std::string::npos);
    QVERIFY(comparisonSummary(*result).sentence.find("compare per second") != std::string::npos);
    // Its length stands before what is called worse, which holds only if both did the same.
    ComparedSessions longer = *same;
    auto lasting = std::make_shared<Snapshot>(*longer.sessions[1].snapshot);
    lasting->span.end = lasting->span.begin + Duration::fromSeconds(80);
    longer.sessions[1].snapshot = lasting;
    QVERIFY(!longer.costs.empty());
    longer.costs.front().cost.isTold = true;
    longer.costs.front().comparison.total = {.a = 100, .b = 200, .isSignificant = true};
    const std::string told = comparisonSummary(longer).sentence;
    QVERIFY2(
        told.starts_with(
            "A lasts 40 s and B 1 min 20 s: unless both did the same work, compare per second. If they did: worse: "),
        told.c_str());
}

/// A user's recording has none of the kernel's time: beside root's of the same program it would look better by all of that.
void ComparisonTest::cpuTimeIsNotComparedWhereOneHasNoneOfTheKernel()
{
    const auto recorded = [](std::string_view lines, bool hasKernel) {
        SnapshotBuilder builder;
        builder.heap("main;f 100").cpu(lines);
        Snapshot snapshot = builder.build();
        snapshot.info.config.heap = HeapMode::Full;
        snapshot.info.cpuEvent = "cpu-clock";
        snapshot.info.cpuNote = "The kernel's timer drives the samples.";
        if (!hasKernel)
            snapshot.info.cpuNote.append(" ").append(kKernelNotSampled).append(" (it is not allowed).");
        return std::make_shared<const Snapshot>(std::move(snapshot));
    };
    const auto hasCpuTime = [](const ComparedSessions &compared) {
        return std::any_of(compared.costs.begin(), compared.costs.end(),
            [](const ComparedCost &each) { return each.cost.key == "cpu"; });
    };
    const SnapshotPointer root = recorded("main;f 1000", true), user = recorded("main;f 100", false);
    const auto different = compareSessions(root, user, {}, comparableCosts());
    QVERIFY(different && !different->costs.empty() && !hasCpuTime(*different));
    QVERIFY2(different->notes.at(0).starts_with("CPU time in the kernel was sampled in A only"),
        different->notes.at(0).c_str());
    const auto alone = compareSessions(user, root, {}, comparableCostsOf("cpu"));
    QVERIFY(!alone && alone.error().text().find("sampled in B only") != std::string::npos);
    const auto alike = compareSessions(user, recorded("main;f 1000", false), {}, comparableCosts());
    QVERIFY(alike && hasCpuTime(*alike));
}

void ComparisonTest::whoAskedForMemoryAnswersForIt()
{
    const char *before = "main;parse;xmalloc;libstdc++.so.6!operator new 64\n"
                         "main;fill;libstdc++.so.6!std::string::string;libstdc++.so.6!operator new 8";
    const char *later = "main;parse;xmalloc;libstdc++.so.6!operator new 96\n"
                        "main;fill;libstdc++.so.6!std::string::string;libstdc++.so.6!operator new 24";
    const auto rows = [](const Comparison &comparison, Difference FunctionDifference::*cost) {
        std::string text;
        for (const FunctionDifference &row : comparison.functions)
            if ((row.*cost).isSignificant)
                text += QString::asprintf("%+.0f ", (row.*cost).change()).toStdString()
                    + comparison.indexes[sideIndex(row.side)]->name(row.shown) + '\n';
        return text;
    };
    const Comparison heap = compared(heapOf(before, "1"), heapOf(later, "2"));
    QCOMPARE(rows(heap, &FunctionDifference::caused), std::string("+32 parse\n+16 fill\n"));
    QCOMPARE(rows(heap, &FunctionDifference::self), std::string("+48 operator new\n"));
    const auto sessions = compareSessions(heapOf(before, "1"), heapOf(later, "2"), {}, comparableCosts());
    std::ostringstream text;
    writeComparisonText(text, *sessions);
    QVERIFY2(text.str().find("function that asked\n") != std::string::npos, text.str().c_str());
    QVERIFY2(text.str().find("+50 %  parse") != std::string::npos, text.str().c_str());
    // Time is spent where it is spent.
    const Comparison cpu = compared(cpuOf(before), cpuOf(later), CostKind::CpuTime);
    for (const FunctionDifference &row : cpu.functions)
        QCOMPARE(row.caused.countB, row.self.countB);
}

void ComparisonTest::manyTimesAsMuchIsARatio()
{
    QCOMPARE(relativeText({.a = 100, .b = 250}), std::string("+150 %"));
    QCOMPARE(relativeText({.a = 100, .b = 999}), std::string("+899 %"));
    QCOMPARE(relativeText({.a = 100, .b = 1000}), std::string("× 10"));
    QCOMPARE(relativeText({.a = 8, .b = 100}), std::string("× 12.5"));
    QCOMPARE(relativeText({.a = 3, .b = 33'704}), std::string("× 11,235"));
    QCOMPARE(relativeText({.a = 100, .b = 8}), std::string("−92 %"));
    const Difference estimated{.a = 8, .b = 100, .ratio95 = {9.5, 16}};
    QCOMPARE(relativeIntervalText(estimated, Certainty::Estimated), std::string("× 9.5 to 16"));
    QVERIFY(relativeIntervalText(estimated, Certainty::Exact).empty());
}

void ComparisonTest::reportsSayBothSides()
{
    const auto result = compareSessions(
        heapOf("main;f<int>(int) 64", "1"), heapOf("main;f<int>(int) 96", "1"), {}, comparableCosts());
    QVERIFY(result);
    std::ostringstream text;
    writeComparisonText(text, *result);
    QVERIFY2(text.str().find("+32 B") != std::string::npos, text.str().c_str());
    const std::string verdict = "Worse: Allocated bytes +50 %, Bytes at the peak +50 %";
    QVERIFY2(text.str().find(verdict) != std::string::npos, text.str().c_str());
    std::ostringstream markdown;
    writeComparisonMarkdown(markdown, *result);
    QVERIFY2(markdown.str().find("| Allocated bytes | 64 B | 96 B | +32 B | +50 % |") != std::string::npos,
        markdown.str().c_str());
    QVERIFY(markdown.str().find(verdict) == 0);
    std::ostringstream csv;
    writeComparisonCsv(csv, *result);
    QVERIFY2(csv.str().find("allocated,stack,64,96,32,1.5,1.5,0,1,main;f<int>(int),") != std::string::npos,
        csv.str().c_str());
    QCOMPARE(markdownCell("a|b<c>`"), std::string("a\\|b&lt;c&gt;\\`"));
    QCOMPARE(signedShare(3.5e-7), std::string("+0.00003 %"));
    // Of counts that were divided by work there are fractions.
    QCOMPARE(costText(-485.25, Unit::Count), std::string("−485"));
    QCOMPARE(costText(-1.5, Unit::Count), std::string("−1.5"));
    QCOMPARE(costText(999.7, Unit::Count), std::string("1,000"));
    QCOMPARE(costText(12.34, Unit::Count), std::string("12.3"));
    QCOMPARE(changeText({.a = 7.5, .b = 0}, Unit::Count), std::string("−7.5"));
}

QTEST_APPLESS_MAIN(ComparisonTest)
#include "comparison_test.moc"
