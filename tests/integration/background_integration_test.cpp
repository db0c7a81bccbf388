// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonObject>
#include <QProcess>
#include <QtTest>

#include <signal.h>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

/// A shell that leaves `script` behind, in a session of its own as a daemon has, and exits with 3 at once. Its pid goes to the file `pid`.
QStringList leaving(const GenprofRunner &runner, const QString &script)
{
    return {QStringLiteral("sh"), QStringLiteral("-c"),
        QStringLiteral("setsid sh -c 'echo $$ >%1; %2' </dev/null >/dev/null 2>&1 & exit 3")
            .arg(runner.path(QStringLiteral("pid")), script)};
}

/// What was left behind; 0 until it has told.
qint64 left(const GenprofRunner &runner)
{
    QFile file(runner.path(QStringLiteral("pid")));
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed().toLongLong() : 0;
}

QString endReason(const GenprofRunner &runner)
{
    return runner.report(QStringLiteral("summary"))[QStringLiteral("end_reason")].toString();
}

} // namespace

/// `--until-all-end`: what a command leaves running in the background is recorded on when the command has ended.
class BackgroundIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void recordsUntilTheLastHasEnded();
    void endsWithACommandThatLeavesNothing();
    void endsWhenAskedTo_data();
    void endsWhenAskedTo();
    void killsWhatDoesNotEnd();
    void whatIsKilledWithTheCommandHasEnded();
    void recordsWhatAnAttachedProcessLeaves();
};

void BackgroundIntegrationTest::recordsUntilTheLastHasEnded()
{
    const GenprofRunner runner;
    const Ran ran = runner.record(words("--tick 100 --cpu 199 --until-all-end"),
        leaving(runner,
            QStringLiteral("sleep 0.7; exec %1 1 0.5").arg(GenprofRunner::target(QStringLiteral("alloc_storm")))));
    QCOMPARE(ran.exitCode, 3);
    QVERIFY2(ran.err.contains("the recording goes on with"), ran.err.constData());
    QVERIFY2(!ran.err.contains("runs on"), ran.err.constData());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("end_reason")].toString(), QStringLiteral("command ended"));
    QCOMPARE(summary[QStringLiteral("exit_status")].toInteger(), 3 << 8);
    QVERIFY(!tests::isRunning(left(runner)));
    QCOMPARE(tests::countImages(summary, QStringLiteral("alloc_storm")), 1);
    const tests::HeapCounts heap
        = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("alloc_storm"));
    QVERIFY2(heap.allocations >= 500'000 && heap.allocations < 510'000, qPrintable(QString::number(heap.allocations)));
}

void BackgroundIntegrationTest::endsWithACommandThatLeavesNothing()
{
    const GenprofRunner runner;
    const Ran ran = runner.record(words("--tick 100 --until-all-end"), words("sh -c true"));
    QCOMPARE(ran.exitCode, 0);
    QVERIFY2(!ran.err.contains("goes on"), ran.err.constData());
    QCOMPARE(endReason(runner), QStringLiteral("command ended"));
}

void BackgroundIntegrationTest::endsWhenAskedTo_data()
{
    QTest::addColumn<bool>("bySignal");
    QTest::addColumn<bool>("kills");
    QTest::newRow("SIGTERM") << true << false;
    QTest::newRow("ctl stop") << false << false;
    QTest::newRow("SIGTERM, and ends what runs") << true << true;
}

void BackgroundIntegrationTest::endsWhenAskedTo()
{
    QFETCH(bool, bySignal);
    QFETCH(bool, kills);
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(
        words(kills ? "--tick 100 --heap off --until-all-end --then-kill" : "--tick 100 --heap off --until-all-end"),
        leaving(runner, QStringLiteral("sleep 60; true")));
    recorder->setReadChannel(QProcess::StandardError);
    QVERIFY(!tests::readUntil(*recorder, "goes on with").isEmpty());
    const qint64 pid = left(runner);
    QVERIFY(tests::isRunning(pid));
    if (bySignal)
        QCOMPARE(::kill(static_cast<pid_t>(recorder->processId()), SIGTERM), 0);
    else
        QCOMPARE(runner.control({QStringLiteral("stop")}).exitCode, 0);
    const QByteArray words = tests::readUntil(*recorder, "prints it");
    QCOMPARE(tests::waitForExit(*recorder), 3);
    QCOMPARE(words.contains("run on"), !kills);
    QCOMPARE(endReason(runner),
        bySignal ? QStringLiteral("interrupted by the user") : QStringLiteral("stopped by the user"));
    if (kills)
        QTRY_VERIFY(!tests::isRunning(pid));
    else
        QVERIFY(tests::isRunning(pid) && ::kill(-static_cast<pid_t>(pid), SIGTERM) == 0);
}

void BackgroundIntegrationTest::killsWhatDoesNotEnd()
{
    const GenprofRunner runner;
    const Ran ran = runner.record(words("--tick 100 --heap off --until-all-end --then-kill --duration 1s"),
        leaving(runner, QStringLiteral("trap \"\" TERM; while :; do sleep 0.1; done")));
    QCOMPARE(ran.exitCode, 3);
    const qint64 pid = left(runner);
    QVERIFY2(ran.err.contains("Killed, as it did not end when it was asked to: process " + QByteArray::number(pid)),
        ran.err.constData());
    QTRY_VERIFY(!tests::isRunning(pid));
}

void BackgroundIntegrationTest::whatIsKilledWithTheCommandHasEnded()
{
    // It has 64 MiB to give back, and is not gone when the shell is.
    const GenprofRunner runner;
    const Ran ran = runner.record(words("--tick 100 --heap off --cpu off"),
        {QStringLiteral("setsid"), QStringLiteral("sh"), QStringLiteral("-c"),
            QStringLiteral("dd if=/dev/zero bs=64M 2>/dev/null | sleep 60 & sleep 0.7; kill -9 0")});
    QCOMPARE(ran.exitCode, 128 + SIGKILL);
    QVERIFY2(!ran.err.contains("what it started runs on"), ran.err.constData());
    const QJsonArray processes = runner.report(QStringLiteral("summary"))[QStringLiteral("processes")].toArray();
    QVERIFY2(processes.size() >= 3, qPrintable(QString::number(processes.size()))); // the shell, dd, sleep
    for (const QJsonValue &process : processes)
        QVERIFY(process[QStringLiteral("end")].toString() != QStringLiteral("running"));
}

void BackgroundIntegrationTest::recordsWhatAnAttachedProcessLeaves()
{
    const GenprofRunner runner;
    QProcess process;
    process.start(QStringLiteral("sh"),
        {QStringLiteral("-c"), QStringLiteral("read line; setsid sleep 1 </dev/null >/dev/null 2>&1 &\nread line")});
    QVERIFY(process.waitForStarted());
    const auto recorder = runner.start(
        {QStringLiteral("attach"), QStringLiteral("--tick"), QStringLiteral("100"), QStringLiteral("--until-all-end"),
            QStringLiteral("-o"), runner.session(), QString::number(process.processId())});
    recorder->setReadChannel(QProcess::StandardError);
    QVERIFY(!runner.waitForStatus().isEmpty());
    process.write("\n");
    QTest::qWait(300);
    process.write("\n");
    QVERIFY(process.waitForFinished());
    QVERIFY(!tests::readUntil(*recorder, "goes on with").isEmpty());
    QCOMPARE(tests::waitForExit(*recorder), 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("end_reason")].toString(), QStringLiteral("process ended"));
    QCOMPARE(tests::countImages(summary, QStringLiteral("sleep")), 1);
}

QTEST_GUILESS_MAIN(BackgroundIntegrationTest)
#include "background_integration_test.moc"
