// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>
#include <QTest>

#include <csignal>

using tests::GenprofRunner;
using tests::Ran;

/// What a program says through genesis_profiler.h, and what it holds beside the heap.
class ProgramApiIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void marksPhasesAndNamesAreInTheSession();
    void poolsAreHeapsOfTheirOwn();
    void modulesAndChildrenSpeakToo();
    void isHeardAfterAttach();
    void costsNothingWhereNobodyListens();
    void mappingsAreCountedApart();
    void residentMemoryIsExplained();

private:
    static QJsonObject areaOf(const QJsonObject &summary, const QString &kind, const QString &name);
};

QJsonObject ProgramApiIntegrationTest::areaOf(const QJsonObject &summary, const QString &kind, const QString &name)
{
    for (const QJsonValue area : summary[QStringLiteral("areas")].toArray())
        if (area[QStringLiteral("kind")] == kind && area[QStringLiteral("name")] == name)
            return area.toObject();
    return {};
}

void ProgramApiIntegrationTest::marksPhasesAndNamesAreInTheSession()
{
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("api_truth"))});
    QCOMPARE(ran.exitCode, 0);
    QCOMPARE(ran.out, QByteArray("done\n"));
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QStringList marks;
    for (const QJsonValue mark : summary[QStringLiteral("marks")].toArray()) {
        QCOMPARE(mark[QStringLiteral("kind")].toString(), QStringLiteral("program"));
        marks << mark[QStringLiteral("text")].toString();
    }
    QCOMPARE(marks,
        (QStringList{QStringLiteral("begin"), QStringLiteral("a mark of more than thirteen bytes, with ü and €"),
            QStringLiteral("€").repeated(85), QStringLiteral("end")}));
    QStringList phases;
    for (const QJsonValue phase : summary[QStringLiteral("phases")].toArray()) {
        phases << QStringLiteral("%1 %2 %3")
                      .arg(phase[QStringLiteral("name")].toString())
                      .arg(phase[QStringLiteral("depth")].toInt())
                      .arg(phase[QStringLiteral("count")].toInt());
        if (phase[QStringLiteral("name")] == QStringLiteral("inner"))
            QVERIFY(phase[QStringLiteral("time_ns")].toInteger() >= 6 * 2'000'000);
    }
    phases.sort();
    QCOMPARE(phases,
        (QStringList{QStringLiteral("inner 1 6"), QStringLiteral("never ended 0 1"), QStringLiteral("outer 0 2")}));
    const QByteArray text = runner
                                .genprof({QStringLiteral("report"), runner.session(), QStringLiteral("--what"),
                                    QStringLiteral("summary")})
                                .out;
    QVERIFY(text.contains("Marks") && text.contains("Phases") && text.contains("never ended"));
}

void ProgramApiIntegrationTest::poolsAreHeapsOfTheirOwn()
{
    const GenprofRunner runner;
    QCOMPARE(runner.record({QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("api_truth"))}).exitCode, 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    const QJsonObject arena = areaOf(summary, QStringLiteral("pool"), QStringLiteral("arena"));
    QCOMPARE(arena[QStringLiteral("allocations")].toInteger(), 100);
    QCOMPARE(arena[QStringLiteral("live_blocks")].toInteger(), 60);
    QCOMPARE(arena[QStringLiteral("live_bytes")].toInteger(), 60 * 64);
    QCOMPARE(arena[QStringLiteral("peak_bytes")].toInteger(), 100 * 64);
    const QJsonObject scratch = areaOf(summary, QStringLiteral("pool"), QStringLiteral("scratch"));
    QCOMPARE(scratch[QStringLiteral("allocations")].toInteger(), 40);
    QCOMPARE(scratch[QStringLiteral("live_blocks")].toInteger(), 5);
    // Its stacks, and none of them among malloc's.
    const QJsonObject pools = runner.report(QStringLiteral("pools"));
    qint64 found = 0;
    for (const QJsonValue stack : pools[QStringLiteral("stacks")].toArray()) {
        const QString leaf = stack[QStringLiteral("frames")][0][QStringLiteral("function")].toString();
        QVERIFY2(leaf.contains(QStringLiteral("usePool")), qPrintable(leaf));
        QVERIFY(stack[QStringLiteral("end")].toString().isEmpty());
        found += stack[QStringLiteral("allocations")].toInteger();
    }
    QCOMPARE(found, 140);
    const QJsonObject heap = runner.report(QStringLiteral("heap"));
    for (const QJsonValue stack : heap[QStringLiteral("stacks")].toArray())
        for (const QJsonValue frame : stack[QStringLiteral("frames")].toArray())
            QVERIFY(!frame[QStringLiteral("function")].toString().contains(QStringLiteral("usePool")));
}

void ProgramApiIntegrationTest::modulesAndChildrenSpeakToo()
{
    const GenprofRunner runner;
    const Ran ran = runner.record(
        {QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("api_truth")), QStringLiteral("late")});
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QStringList marks;
    for (const QJsonValue mark : summary[QStringLiteral("marks")].toArray())
        marks << mark[QStringLiteral("text")].toString();
    QCOMPARE(marks, (QStringList{QStringLiteral("from a module"), QStringLiteral("from a child")}));
    QCOMPARE(
        areaOf(summary, QStringLiteral("pool"), QStringLiteral("module"))[QStringLiteral("live_bytes")].toInteger(),
        10);
    QMap<qint64, qint64> live; // by pid
    for (const QJsonValue area : summary[QStringLiteral("areas")].toArray())
        if (area[QStringLiteral("name")] == QStringLiteral("arena"))
            live[area[QStringLiteral("pid")].toInteger()] = area[QStringLiteral("live_blocks")].toInteger();
    QCOMPARE(live.size(), 2);
    QCOMPARE(live.take(summary[QStringLiteral("pid")].toInteger()), 10);
    QCOMPARE(live.first(), 5);
}

void ProgramApiIntegrationTest::isHeardAfterAttach()
{
    const GenprofRunner runner;
    QProcess program;
    program.start(GenprofRunner::target(QStringLiteral("api_truth")), {QStringLiteral("speak")});
    QVERIFY(tests::readUntil(program, "speaking").contains("speaking"));
    if (const QString denied = runner.deniedBecause(QStringLiteral("attach_permission"), program.processId());
        !denied.isEmpty())
        QSKIP(qPrintable(denied));
    const Ran ran = runner.genprof({QStringLiteral("attach"), QStringLiteral("-q"), QStringLiteral("--heap"),
        QStringLiteral("full"), QStringLiteral("--duration"), QStringLiteral("2"), QStringLiteral("-o"),
        runner.session(), QString::number(program.processId())});
    program.kill();
    program.waitForFinished();
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    const QString state
        = summary[QStringLiteral("processes")][0][QStringLiteral("images")][0][QStringLiteral("heap_state")].toString();
    QVERIFY2(state == QStringLiteral("attached"), qPrintable(state));
    const QJsonArray marks = summary[QStringLiteral("marks")].toArray();
    QVERIFY2(marks.size() > 3, ran.err.constData());
    QCOMPARE(marks[0][QStringLiteral("text")].toString(), QStringLiteral("still here"));
    QVERIFY(summary[QStringLiteral("phases")][0][QStringLiteral("count")].toInt() > 3);
    const QJsonObject arena = areaOf(summary, QStringLiteral("pool"), QStringLiteral("arena"));
    QVERIFY(arena[QStringLiteral("allocations")].toInteger() > 6);
    QVERIFY(summary[QStringLiteral("resident_memory")][QStringLiteral("tracer_bytes")].toInteger() > 0);
}

void ProgramApiIntegrationTest::costsNothingWhereNobodyListens()
{
    const GenprofRunner runner;
    const Ran ran = runner.run(GenprofRunner::target(QStringLiteral("api_truth")), {QStringLiteral("cost")});
    const qint64 picoseconds = tests::figure(ran.out, "cost");
    qInfo("a mark without a listener takes %lld ps", static_cast<long long>(picoseconds));
    QVERIFY(picoseconds >= 0 && picoseconds < 5000); // a load and a branch, on a busy machine
}

void ProgramApiIntegrationTest::mappingsAreCountedApart()
{
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("mapping_truth"))});
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    int checked = 0;
    for (const QByteArray &line : ran.out.split('\n')) {
        const QList<QByteArray> words = line.split(' ');
        if (words.size() != 4)
            continue;
        const QJsonObject area = areaOf(summary, QStringLiteral("mapping"), QString::fromUtf8(words[1]));
        QVERIFY2(!area.isEmpty(), words[1].constData());
        QCOMPARE(area[QStringLiteral("live_bytes")].toInteger(), words[2].toLongLong());
        QCOMPARE(area[QStringLiteral("live_blocks")].toInteger(), words[3].toLongLong());
        ++checked;
    }
    QCOMPARE(checked, 5);
    const QJsonObject losses = summary[QStringLiteral("losses")].toObject();
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(-1), 0);
}

void ProgramApiIntegrationTest::residentMemoryIsExplained()
{
    constexpr double kMiB = 1 << 20;
    const GenprofRunner runner;
    const auto recorder = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--tick"), QStringLiteral("200")},
        {GenprofRunner::target(QStringLiteral("mapping_truth")), QStringLiteral("resident")});
    const QByteArray truth = tests::readUntil(*recorder, "filled");
    QVERIFY(truth.contains("filled"));
    const auto ticks = [&] { return runner.status()[QStringLiteral("ticks")].toInteger(); };
    const qint64 before = ticks();
    QTRY_VERIFY_WITH_TIMEOUT(ticks() >= before + 10, 20'000);
    const qint64 pid = runner.status()[QStringLiteral("target_pid")].toInteger();
    QCOMPARE(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
    tests::waitForExit(*recorder);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    const QJsonObject memory = summary[QStringLiteral("resident_memory")].toObject();
    qInfo().noquote() << QJsonDocument(memory).toJson(QJsonDocument::Compact);
    const auto part = [&](const char *key) { return memory[QLatin1String(key)].toDouble() / kMiB; };
    const auto isNear = [](double value, double expected) { return qAbs(value - expected) < 1.5; };
    QVERIFY(isNear(part("live_heap_bytes") + part("allocator_bytes"), 56));
    QVERIFY(isNear(part("mapping_bytes"), 24));
    QVERIFY(isNear(part("shared_bytes"), 12));
    QVERIFY(isNear(part("stack_bytes"), 8));
    QVERIFY(part("tracer_bytes") > 0.2);
    QVERIFY2(part("unknown_bytes") < 0.5, "what is it?");
    QVERIFY(part("untouched_bytes") > 40);
    double parts = 0;
    for (const char *key : {"live_heap_bytes", "inherited_bytes", "allocator_bytes", "mapping_bytes", "stack_bytes",
             "shared_bytes", "file_bytes", "tracer_bytes", "unknown_bytes"})
        parts += memory[QLatin1String(key)].toDouble();
    QCOMPARE(memory[QStringLiteral("resident_bytes")].toDouble(), parts);
    QVERIFY(memory[QStringLiteral("most_bytes")].toDouble() >= parts);
}

QTEST_GUILESS_MAIN(ProgramApiIntegrationTest)
#include "program_api_integration_test.moc"
