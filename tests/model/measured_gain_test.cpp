// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/done_advice.h"
#include "model/report/done_advice_text.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>

using namespace model;
using tests::SnapshotBuilder;

namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

SnapshotPointer cpuOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.cpu(lines);
    return std::make_shared<const Snapshot>(builder.build());
}

SnapshotPointer heapOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.ticks(36, Duration::fromMs(1000)).heap(lines); // a hundredth of an hour
    builder.raw().info.config.heap = HeapMode::Full;
    return std::make_shared<const Snapshot>(builder.build());
}

Recommendation adviceOn(GainKind kind, Interval gain)
{
    Recommendation item;
    item.rule = "regex_compiled";
    item.place = "parse";
    item.module = "app";
    item.gainKind = kind;
    item.gain = gain;
    return item;
}

} // namespace

class MeasuredGainTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cpuTimeOfThePlaceIsAShareOfAllBefore()
    {
        const auto gain = measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.45}),
            cpuOf("main;parse;regex 5000\nmain;rest 5000"), cpuOf("main;parse;regex 1000\nmain;rest 7000"));
        QVERIFY(gain);
        QVERIFY(std::abs(gain->gain - 0.4)
            < 1e-9); // half of all before, of which a fifth is left; the rest is no matter of this advice
        QVERIFY(gain->interval95.low < 0.4 && gain->interval95.high > 0.4);
        QVERIFY(gain->interval95.high - gain->interval95.low < 0.02);
        QCOMPARE(gain->verdict, GainVerdict::Inside);
    }

    void theTracersTimeIsNoGain()
    {
        const auto gain = measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.6}),
            cpuOf("main;parse;regex 500\nmain;parse;malloc;libgenesis_heaptracer.so!record 9000\nmain;rest 500"),
            cpuOf("main;rest 500"));
        QVERIFY(gain);
        QVERIFY2(std::abs(gain->gain - 0.5) < 1e-9, qPrintable(QString::number(gain->gain)));
    }

    void saysWhenItIsLessOrMoreThanExpected()
    {
        const SnapshotPointer before = cpuOf("main;parse 5000\nmain;rest 5000");
        const SnapshotPointer same = cpuOf("main;parse 4950\nmain;rest 5000");
        const SnapshotPointer gone = cpuOf("main;rest 5000");
        QCOMPARE(measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.4}), before, same)->verdict, GainVerdict::Less);
        QCOMPARE(measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.4}), before, gone)->verdict, GainVerdict::More);
        QVERIFY(std::abs(measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.4}), before, gone)->gain - 0.5) < 1e-9);
    }

    void allocationsAreCounted()
    {
        const auto gain = measuredGain(adviceOn(GainKind::AllocationShare, {0.1, 0.6}),
            heapOf("main;parse;malloc 8\nmain;parse;malloc 8\nmain;log;malloc 8\nmain;log;malloc 8"),
            heapOf("main;parse;malloc 8\nmain;log;malloc 8\nmain;log;malloc 8"));
        QVERIFY(gain);
        QCOMPARE(gain->gain, 0.25);
        QCOMPARE(gain->interval95.low, gain->interval95.high);
    }

    void growthIsBytesAnHour()
    {
        const auto gain = measuredGain(adviceOn(GainKind::BytesPerHour, {90'000, 120'000}),
            heapOf("main;parse;malloc 1000\nmain;log;malloc 500"),
            heapOf("main;parse;malloc 1000\nmain;parse;malloc -1000\nmain;log;malloc 700"));
        QVERIFY2(gain, gain ? "" : gain.error().text().c_str());
        QVERIFY(std::abs(gain->gain - 100'000) < 1);
        QCOMPARE(gain->verdict, GainVerdict::Inside);
    }

    void memoryIsThatOfTheProcess()
    {
        const auto withMemory = [](std::int64_t bytes) {
            SnapshotBuilder builder;
            builder.metric(Metric::Anonymous, std::vector<std::int64_t>(10, bytes));
            return std::make_shared<const Snapshot>(builder.build());
        };
        const auto gain = measuredGain(adviceOn(GainKind::Bytes, {10, 20}), withMemory(100), withMemory(60));
        QVERIFY(gain);
        QCOMPARE(gain->gain, 40.0);
        QCOMPARE(gain->verdict, GainVerdict::More);
    }

    void saysWhyNothingCanBeMeasured()
    {
        const auto noCpu
            = measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.4}), cpuOf("main;parse 500"), heapOf("main;parse 10"));
        QVERIFY(!noCpu && noCpu.error().text().find("CPU time") != std::string::npos);
        const auto elsewhere
            = measuredGain(adviceOn(GainKind::CpuShare, {0.2, 0.4}), cpuOf("main;other 500"), cpuOf("main;other 500"));
        QVERIFY(!elsewhere && elsewhere.error().text().find("parse") != std::string::npos);
    }

    void isKeptAsTextAndReadBack()
    {
        const std::vector<DoneAdvice> done{{"regex|app|f<a, \"b\">", 1'795'656'213'179'000'001, {}},
            {"other|app|g", 6'000'000'000, MeasuredGain{0.3, {0.25, 0.35}, GainVerdict::Less, "b.gprof-session"}}};
        const std::string text = doneAdviceText(done);
        QVERIFY(doneAdviceOf(text) == done);
        QVERIFY(doneAdviceOf("nothing\n{\"id\":3}\n[1]\n{\"id\":\"\"}\n").empty());
        QVERIFY(doneAdviceOf("trash\n" + text + "{\"id\":\"cut") == done);
        QCOMPARE(measuredGainText(*done[1].measured, GainKind::CpuShare),
            std::string("30 % of the CPU time (95 %: 25–35 %) in b.gprof-session: less than expected"));
    }
};

QTEST_APPLESS_MAIN(MeasuredGainTest)
#include "measured_gain_test.moc"
