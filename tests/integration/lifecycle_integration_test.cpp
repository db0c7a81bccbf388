// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"
#include "tests/integration/terminal_run.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QTest>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using tests::GenprofRunner;
using tests::Ran;
using tests::TerminalRun;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

QStringList shell(const char *script)
{
    return {QStringLiteral("sh"), QStringLiteral("-c"), QString::fromUtf8(script)};
}

const QStringList kFast = words("-q --tick 100 --heap off --cpu off");

QJsonArray gapsOf(const QJsonObject &summary, const char *kind)
{
    QJsonArray gaps;
    for (const QJsonValue gap : summary[QStringLiteral("gaps")].toArray())
        if (gap[QStringLiteral("kind")].toString() == QString::fromUtf8(kind))
            gaps.append(gap);
    return gaps;
}

} // namespace

class LifecycleIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void exitsAsTheCommandDid_data();
    void exitsAsTheCommandDid();
    void leavesNoFileOfACommandThatCannotStart_data();
    void leavesNoFileOfACommandThatCannotStart();
    void recordsUnderALowLimitOfStacks();
    void refusesToOverwriteAFile();
    void leavesStandardInputAndOutputAlone();
    void endsAfterItsDurationWhileTheCommandRunsOn();
    void namesWhatRunsOnAfterTheCommand();
    void endsTheCommandToo();
    void isControlledWhileItRuns();
    void recordsTheHeapInAnotherWayOnRequest();
    void saysThatNobodyListens();
    void endsOnCtrlC();
    void goesOnWithACommandThatSurvivesCtrlC();
    void showsALiveLineOnATerminal();
    void passesASignalOnThatCameToItAlone();
    void aKilledRecorderLeavesCommandAndFileWhole();
    void attachesToARunningProcess();
    void namesTheFileAfterTheCommand();
    void saysOnceThatItsFileIsGone();
};

void LifecycleIntegrationTest::exitsAsTheCommandDid_data()
{
    QTest::addColumn<QString>("script");
    QTest::addColumn<int>("exitCode");
    QTest::newRow("success") << "exit 0" << 0;
    QTest::newRow("3") << "exit 3" << 3;
    QTest::newRow("125 of its own") << "exit 125" << 125;
    QTest::newRow("TERM") << "kill -TERM $$" << 143;
    QTest::newRow("SEGV") << "kill -SEGV $$" << 139;
}

void LifecycleIntegrationTest::exitsAsTheCommandDid()
{
    QFETCH(QString, script);
    QFETCH(int, exitCode);
    const GenprofRunner runner;
    QCOMPARE(
        runner.record({QStringLiteral("-q")}, {QStringLiteral("sh"), QStringLiteral("-c"), script}).exitCode, exitCode);
    QCOMPARE(runner.report(QStringLiteral("summary"))[QStringLiteral("state")].toString(), QStringLiteral("complete"));
}

void LifecycleIntegrationTest::leavesNoFileOfACommandThatCannotStart_data()
{
    QTest::addColumn<QString>("command");
    QTest::addColumn<int>("exitCode");
    QTest::newRow("not found in PATH") << "no-such-command-here" << 127;
    QTest::newRow("no such file") << "./nothing" << 127;
    QTest::newRow("not executable") << "./plain" << 126;
    QTest::newRow("folder") << "/" << 126;
}

void LifecycleIntegrationTest::leavesNoFileOfACommandThatCannotStart()
{
    QFETCH(QString, command);
    QFETCH(int, exitCode);
    const GenprofRunner runner;
    QFile plain(runner.path(QStringLiteral("plain")));
    QVERIFY(plain.open(QIODevice::WriteOnly));
    plain.close();
    const Ran ran = runner.record({}, {command});
    QCOMPARE(ran.exitCode, exitCode);
    QVERIFY2(ran.err.contains(command.toUtf8()), ran.err.constData());
    QCOMPARE(QDir(runner.path(QString())).entryList({QStringLiteral("test.gprof*")}, QDir::Files).size(), 0);
}

void LifecycleIntegrationTest::recordsUnderALowLimitOfStacks()
{
    // The command has the limit as it was; a recorder whose own cannot be raised says so before anything is started.
    const GenprofRunner runner;
    const auto limited = [&runner](const char *kind) {
        return runner.run(QStringLiteral("bash"),
            {QStringLiteral("-c"),
                QStringLiteral("ulimit -%1s 100; exec \"$0\" record -q --cpu off -o \"$1\" -- bash -c 'ulimit -s; exec "
                               "\"$0\" 1 1000' \"$2\"")
                    .arg(QString::fromUtf8(kind)),
                GenprofRunner::program(), runner.session(), GenprofRunner::target(QStringLiteral("heap_truth"))});
    };
    const Ran soft = limited("S");
    QVERIFY2(soft.exitCode == 0, soft.err.constData());
    QVERIFY2(soft.out.startsWith("100\n"), soft.out.constData());
    QVERIFY(QFile::remove(runner.session()));
    const Ran hard = limited("");
    if (hard.exitCode == 0)
        QSKIP("this user may raise hard limits");
    QCOMPARE(hard.exitCode, 125);
    QVERIFY2(hard.err.contains("The stack is limited to 100 KiB"), hard.err.constData());
    QCOMPARE(hard.out, QByteArray());
    QVERIFY(!QFile::exists(runner.session()));
}

void LifecycleIntegrationTest::refusesToOverwriteAFile()
{
    const GenprofRunner runner;
    QFile mine(runner.session());
    QVERIFY(mine.open(QIODevice::WriteOnly));
    mine.write("mine");
    mine.close();
    const Ran ran = runner.record({}, {QStringLiteral("/bin/true")});
    QCOMPARE(ran.exitCode, 125);
    QVERIFY2(ran.err.contains("test.gprof-session"), ran.err.constData());
    QVERIFY(mine.open(QIODevice::ReadOnly));
    QCOMPARE(mine.readAll(), QByteArray("mine"));
}

void LifecycleIntegrationTest::leavesStandardInputAndOutputAlone()
{
    const GenprofRunner runner;
    QByteArray input;
    for (int i = 0; i < 200'000; ++i)
        input.append(static_cast<char>(i * 7919 % 251));
    const Ran ran = runner.record({QStringLiteral("-q")}, {QStringLiteral("cat")}, input);
    QCOMPARE(ran.exitCode, 0);
    QVERIFY(ran.out == input);
    QCOMPARE(ran.err, QByteArray());
}

void LifecycleIntegrationTest::endsAfterItsDurationWhileTheCommandRunsOn()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(
        words("--tick 100 --cpu off --duration 300ms"), shell("read line; echo got $line; exit 5"));
    QByteArray err;
    QElapsedTimer timer;
    timer.start();
    while (!err.contains("prints it") && timer.elapsed() < 60'000 && recorder->state() == QProcess::Running) {
        recorder->waitForReadyRead(100);
        err += recorder->readAllStandardError();
    }
    QVERIFY2(err.contains("runs on"), err.constData());
    QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    QCOMPARE(summary[QStringLiteral("end_reason")].toString(), QStringLiteral("duration reached"));
    QVERIFY(summary[QStringLiteral("exit_status")].isNull());
    QCOMPARE(recorder->state(), QProcess::Running);
    recorder->write("it\n");
    QCOMPARE(tests::waitForExit(*recorder), 5);
    QCOMPARE(recorder->readAllStandardOutput(), QByteArray("got it\n"));
}

void LifecycleIntegrationTest::namesWhatRunsOnAfterTheCommand()
{
    const GenprofRunner alone;
    const Ran ended = alone.record({}, {QStringLiteral("/bin/true")});
    QVERIFY2(!ended.err.contains("runs on"), ended.err.constData());
    const GenprofRunner runner;
    const Ran leaves = runner.record({},
        {QStringLiteral("sh"), QStringLiteral("-c"),
            QStringLiteral("sleep 5 >/dev/null 2>&1 & echo $! >%1").arg(runner.path(QStringLiteral("pid")))});
    QFile file(runner.path(QStringLiteral("pid")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray words = "what it started runs on: process " + file.readAll().trimmed() + " (sleep)";
    QVERIFY2(leaves.err.contains(words), leaves.err.constData());
}

void LifecycleIntegrationTest::endsTheCommandToo()
{
    const GenprofRunner runner;
    QElapsedTimer timer;
    timer.start();
    const Ran ran = runner.record(words("--tick 100 --heap off --cpu off --duration 3s --then-kill"),
        {QStringLiteral("sh"), QStringLiteral("-c"),
            QStringLiteral("sleep 60 & echo $! >%1; sleep 60; true").arg(runner.path(QStringLiteral("pid")))});
    QCOMPARE(ran.exitCode, 143);
    QFile file(runner.path(QStringLiteral("pid")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const qint64 started = file.readAll().trimmed().toLongLong();
    QTRY_VERIFY(started > 0 && !tests::isRunning(started));
    QVERIFY(timer.elapsed() < 50'000);
    QVERIFY2(ran.err.contains("--then-kill ends process"), ran.err.constData());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    QCOMPARE(summary[QStringLiteral("exit_status")].toInt(), SIGTERM);
    for (const QJsonValue process : summary[QStringLiteral("processes")].toArray())
        QVERIFY2(process[QStringLiteral("end_ns")].isDouble(), qPrintable(process[QStringLiteral("end")].toString()));
}

void LifecycleIntegrationTest::isControlledWhileItRuns()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(kFast, shell("read line; exit 4"));
    const Ran status = runner.control({QStringLiteral("status")});
    QCOMPARE(status.exitCode, 0);
    QVERIFY2(status.out.contains("recording"), status.out.constData());
    QCOMPARE(runner.control({QStringLiteral("mark"), QStringLiteral("cache"), QStringLiteral("warm")}).exitCode, 0);
    QCOMPARE(runner.control({QStringLiteral("pause")}).exitCode, 0);
    QCOMPARE(runner.status()[QStringLiteral("state")].toString(), QStringLiteral("paused"));
    const Ran again = runner.control({QStringLiteral("pause")});
    QCOMPARE(again.exitCode, 1);
    QVERIFY2(again.err.contains("paused already"), again.err.constData());
    QCOMPARE(runner.control({QStringLiteral("resume")}).exitCode, 0);
    const Ran stop = runner.control({QStringLiteral("stop")});
    QCOMPARE(stop.exitCode, 0);
    QVERIFY2(stop.out.contains("complete"), stop.out.constData());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    QCOMPARE(summary[QStringLiteral("end_reason")].toString(), QStringLiteral("stopped by the user"));
    QCOMPARE(gapsOf(summary, "paused").size(), 1);
    QCOMPARE(summary[QStringLiteral("marks")][0][QStringLiteral("text")].toString(), QStringLiteral("cache warm"));
    QCOMPARE(recorder->state(), QProcess::Running); // the command runs on
    recorder->write("\n");
    QCOMPARE(tests::waitForExit(*recorder), 4);
}

void LifecycleIntegrationTest::recordsTheHeapInAnotherWayOnRequest()
{
    const GenprofRunner runner;
    const auto recorder
        = runner.startRecording(words("--tick 100 --cpu off --heap full"), shell("while read line; do :; done"));
    const auto mode = [&](const char *name) {
        return runner.control({QStringLiteral("mode"), QString::fromLatin1(name)});
    };
    QCOMPARE(mode("some").exitCode, 2);
    const Ran off = mode("off");
    QCOMPARE(off.exitCode, 2);
    QVERIFY2(off.err.contains("pause"), off.err.constData());
    QTRY_COMPARE_WITH_TIMEOUT(mode("sampled=64KiB").exitCode, 0, 20'000);
    QTRY_COMPARE_WITH_TIMEOUT(mode("full").exitCode, 0, 20'000); // refused while the change before is under way
    QCOMPARE(runner.control({QStringLiteral("stop")}).exitCode, 0);
    const QJsonArray modes
        = runner.report(QStringLiteral("summary"))[QStringLiteral("heap")][QStringLiteral("modes")].toArray();
    QCOMPARE(modes.size(), 3);
    QVERIFY(modes[0][QStringLiteral("sample_period_bytes")].isNull());
    QCOMPARE(modes[1][QStringLiteral("sample_period_bytes")].toInt(), 65536);
    QCOMPARE(modes[1][QStringLiteral("cause")].toString(), QStringLiteral("asked_for"));
    QVERIFY(modes[2][QStringLiteral("sample_period_bytes")].isNull());
    const Ran text = runner.genprof({QStringLiteral("report"), runner.session()});
    QVERIFY2(text.out.simplified().contains("from every allocation to samples, one of 64 KiB (asked for)"),
        text.out.constData());
    recorder->closeWriteChannel();
    QCOMPARE(tests::waitForExit(*recorder), 0);
}

void LifecycleIntegrationTest::saysThatNobodyListens()
{
    const GenprofRunner runner;
    QCOMPARE(runner.record(kFast, {QStringLiteral("/bin/true")}).exitCode, 0);
    const Ran ended = runner.control({QStringLiteral("stop")});
    QCOMPARE(ended.exitCode, 1);
    QVERIFY2(ended.err.contains("has ended"), ended.err.constData());
    const Ran missing = runner.genprof(words("ctl missing.gprof-session status"));
    QCOMPARE(missing.exitCode, 1);
    QVERIFY2(missing.err.contains("missing.gprof-session"), missing.err.constData());
}

void LifecycleIntegrationTest::endsOnCtrlC()
{
    const GenprofRunner runner;
    TerminalRun run(QStringList{GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("-o"),
                        runner.session(), QStringLiteral("--")}
            + shell("trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done"),
        runner.path(QString()));
    QVERIFY2(run.readUntil("ready"), run.output.constData());
    run.press('\3');
    const int status = run.finish();
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 7);
    QCOMPARE(run.output.count("caught"), 1);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    QCOMPARE(summary[QStringLiteral("exit_status")].toInteger(), 7 << 8);
}

void LifecycleIntegrationTest::goesOnWithACommandThatSurvivesCtrlC()
{
    const GenprofRunner runner;
    TerminalRun run(QStringList{GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("-o"),
                        runner.session(), QStringLiteral("--")}
            + shell("trap '' INT; echo ready; read line; echo bye; exit 6"),
        runner.path(QString()));
    QVERIFY2(run.readUntil("ready"), run.output.constData());
    run.press('\3');
    QVERIFY2(run.readUntil("runs on"), run.output.constData());
    QVERIFY2(run.readUntil("prints it"), run.output.constData());
    QCOMPARE(runner.report(QStringLiteral("summary"))[QStringLiteral("end_reason")].toString(),
        QStringLiteral("interrupted by the user"));
    run.press('\n');
    const int status = run.finish();
    QCOMPARE(WEXITSTATUS(status), 6);
    QVERIFY(run.output.contains("bye"));
}

void LifecycleIntegrationTest::showsALiveLineOnATerminal()
{
    const GenprofRunner runner;
    TerminalRun run(QStringList{GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("--tick"),
                        QStringLiteral("100"), QStringLiteral("-o"), runner.session(), QStringLiteral("--")}
            + shell("read line"),
        runner.path(QString()));
    QVERIFY2(run.readUntil("● 00:00:00"), run.output.constData());
    QVERIFY2(run.readUntil("0 lost"), run.output.constData());
    run.press('\n');
    QCOMPARE(WEXITSTATUS(run.finish()), 0);
    // Elsewhere there is no such line.
    QVERIFY(!runner.genprof(words("record --tick 100 -- sleep 0.3")).err.contains("●"));
}

void LifecycleIntegrationTest::passesASignalOnThatCameToItAlone()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(
        kFast, shell("trap 'echo once; exit 9' TERM; echo ready; while :; do sleep 0.05; done"));
    QByteArray out = tests::readUntil(*recorder, "ready");
    recorder->terminate();
    QCOMPARE(tests::waitForExit(*recorder), 9);
    out += recorder->readAllStandardOutput();
    QCOMPARE(out.count("once"), 1);
}

void LifecycleIntegrationTest::aKilledRecorderLeavesCommandAndFileWhole()
{
    const GenprofRunner runner;
    const QString fifo = runner.path(QStringLiteral("go"));
    const QString result = runner.path(QStringLiteral("result"));
    QCOMPARE(runner.run(QStringLiteral("mkfifo"), {fifo}).exitCode, 0);
    const auto recorder = runner.startRecording(words("-q --tick 100"),
        {QStringLiteral("/usr/bin/python3"), QStringLiteral("-c"),
            QStringLiteral(
                "import sys, os\nblocks = [bytearray(1000) for _ in range(10000)]\n"
                "print('ready', os.getpid(), flush=True)\nopen('%1').read()\n"
                "more = [bytearray(1000) for _ in range(10000)]\n"
                "open('%2.part', 'w').write(str(sum(map(len, blocks + more))))\nos.rename('%2.part', '%2')\n")
                .arg(fifo, result)});
    QVERIFY(tests::readUntil(*recorder, "ready").contains("ready"));
    QElapsedTimer timer;
    timer.start();
    const qint64 ticks = runner.status()[QStringLiteral("ticks")].toInteger();
    while (runner.status()[QStringLiteral("ticks")].toInteger() < ticks + 2 && timer.elapsed() < 60'000) { }
    recorder->kill();
    QCOMPARE(tests::waitForExit(*recorder), -1);
    QFile go(fifo);
    QVERIFY(go.open(QIODevice::WriteOnly));
    go.close();
    while (!QFile::exists(result) && timer.elapsed() < 60'000)
        QTest::qWait(10);
    QFile written(result);
    QVERIFY(written.open(QIODevice::ReadOnly));
    QCOMPARE(written.readAll(), QByteArray("20000000"));
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("unfinished"));
    QVERIFY(summary[QStringLiteral("heap")][QStringLiteral("live_bytes")].toInteger() >= 10'000'000);
    const Ran gone = runner.control({QStringLiteral("status")});
    QCOMPARE(gone.exitCode, 1);
    QVERIFY2(gone.err.contains("gone"), gone.err.constData());
}

void LifecycleIntegrationTest::attachesToARunningProcess()
{
    const GenprofRunner runner;
    QProcess target;
    target.start(QStringLiteral("sh"), {QStringLiteral("-c"), QStringLiteral("while :; do :; done")});
    QVERIFY(target.waitForStarted());
    const Ran ran = runner.genprof(QStringList{QStringLiteral("attach"), QString::number(target.processId()),
                                       QStringLiteral("-o"), runner.session()}
        + words("--heap full --duration 600ms --tick 100"));
    QCOMPARE(ran.exitCode, 0);
    QVERIFY2(!ran.err.contains("not traced"), ran.err.constData());
    QCOMPARE(target.state(), QProcess::Running);
    target.kill();
    target.waitForFinished();
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("pid")].toInteger(),
        qint64{target.processId() ? target.processId() : summary[QStringLiteral("pid")].toInteger()});
    QCOMPARE(
        summary[QStringLiteral("processes")][0][QStringLiteral("images")][0][QStringLiteral("heap_state")].toString(),
        QStringLiteral("attached"));
    QVERIFY(summary[QStringLiteral("ticks")].toInteger() >= 4);
    const QJsonObject metrics = runner.report(QStringLiteral("metrics"));
    QVERIFY(!metrics[QStringLiteral("processes")][0][QStringLiteral("metrics")][QStringLiteral("rss_bytes")]
                 .toArray()
                 .isEmpty());
    if (!summary[QStringLiteral("cpu")][QStringLiteral("event")].toString().isEmpty())
        QVERIFY(summary[QStringLiteral("cpu")][QStringLiteral("samples")].toInteger() > 5);
    const Ran gone = runner.genprof(words("attach 2147483646 -o gone.gprof-session"));
    QCOMPARE(gone.exitCode, 125);
    QVERIFY2(gone.err.contains("2147483646"), gone.err.constData());
    QVERIFY(!QFile::exists(runner.path(QStringLiteral("gone.gprof-session"))));
}

void LifecycleIntegrationTest::namesTheFileAfterTheCommand()
{
    const GenprofRunner runner;
    const Ran ran = runner.genprof(words("record --heap off -- /bin/true"));
    QCOMPARE(ran.exitCode, 0);
    const QStringList files
        = QDir(runner.path(QString())).entryList({QStringLiteral("true-*.gprof-session")}, QDir::Files);
    QCOMPARE(files.size(), 1);
    QVERIFY2(ran.err.contains(files.first().toUtf8()), ran.err.constData());
    const Ran listed = runner.genprof({QStringLiteral("list")});
    QVERIFY2(listed.out.contains(files.first().toUtf8()), listed.out.constData());
    // What it says to type next can be typed, and what is not to be listed is not.
    const QString spaced = runner.path(QStringLiteral("a b.gprof-session"));
    const Ran hinted = runner.genprof({QStringLiteral("record"), QStringLiteral("--heap"), QStringLiteral("off"),
        QStringLiteral("--unlisted"), QStringLiteral("-o"), spaced, QStringLiteral("/bin/true")});
    QVERIFY2(hinted.err.contains("genprof report '" + spaced.toUtf8() + "' prints it"), hinted.err.constData());
    QVERIFY(!runner.genprof({QStringLiteral("list")}).out.contains("a b.gprof-session"));
    const Ran folder = runner.genprof(
        {QStringLiteral("record"), QStringLiteral("-o"), runner.path(QString()), QStringLiteral("/bin/true")});
    QCOMPARE(folder.exitCode, 125);
    QVERIFY2(folder.err.contains("it is a folder; name a file in it"), folder.err.constData());
}

void LifecycleIntegrationTest::saysOnceThatItsFileIsGone()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(words("-q --tick 100 --cpu off"), shell("sleep 2; exit 4"));
    QVERIFY(QFile::rename(runner.session(), runner.path(QStringLiteral("elsewhere"))));
    QCOMPARE(tests::waitForExit(*recorder), 4);
    QCOMPARE(recorder->readAllStandardError().count("was moved or deleted"), 1);
    QCOMPARE(runner.report(QStringLiteral("summary"))[QStringLiteral("state")].toString(), QStringLiteral("complete"));
}

QTEST_GUILESS_MAIN(LifecycleIntegrationTest)
#include "lifecycle_integration_test.moc"
