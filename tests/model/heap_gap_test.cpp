// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/gate_result.h"
#include "model/gate/heap_gap.h"
#include "model/report/gate_report.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace model;
using tests::SnapshotBuilder;

/// What a gate makes of heaps that were not traced.
class HeapGapTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void heapsThatNobodyTracedDoNotPass();
    void untracedProgramsThatRunAtOnceCountOnce();
    void aBaseThatWasNotTracedAsksForNoMoreRuns();
    void aValueThatMustNotBeExceededNeedsNoBase();
    void theReasonIsToldOnce();
};

void HeapGapTest::heapsThatNobodyTracedDoNotPass()
{
    const auto gapOf = [](HeapState wrapper, HeapState program, std::int64_t childNs) {
        SnapshotBuilder builder;
        TableBuilder &tables = builder.tables();
        tables.changeImage(builder.image()).heap = wrapper;
        tables.addImage({.process = builder.process(),
            .epoch = 1,
            .start = Timestamp{1'000'000},
            .heap = program,
            .heapNote = tables.string(program == HeapState::Full ? "" : "It was started without LD_PRELOAD")});
        if (childNs > 0)
            tables.addImage({.process = tables.addProcess({.pid = 101, .parent = builder.process()}),
                .executable = tables.string("/sbin/ldconfig"),
                .start = Timestamp{1'000'000},
                .end = Timestamp{1'000'000 + childNs},
                .heap = HeapState::NotTraced,
                .heapNote = tables.string("The program is static.")});
        return heapGap(builder.build());
    };
    QVERIFY(gapOf(HeapState::Full, HeapState::Full, 0).why.empty());
    QVERIFY(gapOf(HeapState::Full, HeapState::Full, 0).beside.empty());
    const std::string exec = gapOf(HeapState::Full, HeapState::NotTraced, 0).why;
    QVERIFY2(exec.ends_with("started without LD_PRELOAD."), exec.c_str());
    const HeapGap helper = gapOf(HeapState::Full, HeapState::Full, 3'000'000);
    QVERIFY(helper.why.empty());
    QVERIFY2(helper.beside.find("ldconfig was not (wholly) traced: The program is static.") != std::string::npos,
        helper.beside.c_str());
    QVERIFY(gapOf(HeapState::Full, HeapState::Full, 6'000'000'000).why.find("ldconfig") != std::string::npos);
    QCOMPARE(gapOf(HeapState::Off, HeapState::Off, 0).why, std::string("The heap was not traced."));
    // What was to be judged and was not seen is no pass, unless its growth is accepted.
    GateSamples samples{.key = GateKey::Allocations, .absent = exec, .isOwed = true};
    GateLimits limits = usualGateLimits();
    QVERIFY(judgeGate({samples}, limits).front().isBlind());
    QCOMPARE(verdictOf(judgeGate({samples}, limits)), GateOutcome::Unclear);
    samples.current = {12'000};
    samples.absent = "The baseline does not have it.";
    const GateFinding baseless = judgeGate({samples}, limits).front();
    QCOMPARE(baseless.outcome, GateOutcome::Unclear);
    QVERIFY2(findingText(baseless).ends_with("The baseline does not have it."), findingText(baseless).c_str());
    limits[static_cast<std::size_t>(GateKey::Allocations)].isOff = true;
    QCOMPARE(verdictOf(judgeGate({samples}, limits)), GateOutcome::Passed);
}

/// Of 10 s: eight helpers within the same 0.7 s, as of `make -j8`, or one after another.
void HeapGapTest::untracedProgramsThatRunAtOnceCountOnce()
{
    const auto gapOf = [](std::int64_t stepNs) {
        SnapshotBuilder builder;
        TableBuilder &tables = builder.tables();
        tables.changeImage(builder.image()).heap = HeapState::Full;
        for (int i = 7; i >= 0; --i)
            tables.addImage({.process = tables.addProcess({.pid = 101 + i, .parent = builder.process()}),
                .executable = tables.string("/usr/bin/helper"),
                .start = Timestamp{1'000'000'000 + i * stepNs},
                .end = Timestamp{1'700'000'000 + i * stepNs},
                .heap = HeapState::NotTraced,
                .heapNote = tables.string("The program is static.")});
        return heapGap(builder.build());
    };
    for (const std::int64_t stepNs : {std::int64_t{0}, std::int64_t{10'000'000}}) {
        const HeapGap gap = gapOf(stepNs);
        QVERIFY2(gap.why.empty(), gap.why.c_str());
        QVERIFY2(gap.beside.find("So it was 8 times") != std::string::npos, gap.beside.c_str());
    }
    QVERIFY(!gapOf(700'000'000).why.empty());
}

void HeapGapTest::aBaseThatWasNotTracedAsksForNoMoreRuns()
{
    const auto judge = [](std::vector<double> current) {
        return judgeGate(
            {{GateKey::Allocations, {}, std::move(current), "The program is static.", true}}, usualGateLimits());
    };
    for (const std::vector<double> &current : {std::vector<double>{12, 12}, std::vector<double>{12, 13}}) {
        QCOMPARE(verdictOf(judge(current)), GateOutcome::Unclear);
        QVERIFY(isSettled(judge(current)));
    }
    // What more runs can tell still asks for them.
    QVERIFY(!isSettled(judgeGate({{GateKey::Allocations, {100, 101}, {103, 104}, {}, true}}, usualGateLimits())));
}

void HeapGapTest::aValueThatMustNotBeExceededNeedsNoBase()
{
    GateLimits limits = usualGateLimits();
    limits[static_cast<std::size_t>(GateKey::PeakBytes)].most = 64 * 1024;
    const auto judge = [&limits](std::vector<double> current) {
        return judgeGate({{GateKey::PeakBytes, {}, std::move(current), "The program is static.", true}}, limits);
    };
    const GateFinding within = judge({1000, 1000}).front();
    QCOMPARE(within.outcome, GateOutcome::Passed);
    QVERIFY2(findingText(within).ends_with("at most 64 KiB"), findingText(within).c_str());
    QCOMPARE(verdictOf(judge({70'000, 70'000})), GateOutcome::Worse);
    QCOMPARE(verdictOf(judge({1000, 70'000})), GateOutcome::Unclear);
    QVERIFY(judge({}).front().isBlind());
}

void HeapGapTest::theReasonIsToldOnce()
{
    const std::string why = "The heap of tool was not (wholly) traced: The program is static, its heap cannot be seen.";
    const auto textOf = [](const std::vector<GateSamples> &samples, std::vector<std::string> notes) {
        GateLimits limits = usualGateLimits();
        limits[static_cast<std::size_t>(GateKey::PeakBytes)].most = 64 * 1024;
        std::ostringstream out;
        writeGateText(out,
            {.command = "tool", .against = "old", .findings = judgeGate(samples, limits), .notes = std::move(notes)});
        return QString::fromStdString(out.str());
    };
    const GateSamples allocations{GateKey::Allocations, {}, {}, why, true};
    const GateSamples peak{GateKey::PeakBytes, {}, {}, why, true};
    const QString reason = QString::fromStdString(why);
    const QString both
        = textOf({allocations, peak, {GateKey::LostBlocks, {}, {}, "It was not measured."}}, {"A note."});
    QCOMPARE(both.count(reason), 1);
    QVERIFY2(both.contains(QStringLiteral("  absent  Allocations: not counted. See [1].\n")), qPrintable(both));
    QVERIFY2(both.contains(QStringLiteral(": not counted. See [1]. The limit of 64 KiB cannot be checked\n")),
        qPrintable(both));
    QVERIFY2(both.contains(QStringLiteral(": not counted. It was not measured.\n")), qPrintable(both));
    QVERIFY2(both.contains(QStringLiteral("\n\n  [1] ") + reason + QStringLiteral("\n  A note.\n")), qPrintable(both));
    // One row has room for it; not where it is a note, too.
    const QString one = textOf({allocations}, {});
    QVERIFY2(one.contains(QStringLiteral("not counted. ") + reason + QStringLiteral("\n")), qPrintable(one));
    const QString noted = textOf({peak}, {why});
    QCOMPARE(noted.count(reason), 1);
    QVERIFY2(noted.contains(QStringLiteral("See [1]")), qPrintable(noted));
}

QTEST_APPLESS_MAIN(HeapGapTest)
#include "heap_gap_test.moc"
