// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRandomGenerator>
#include <QTest>
#include <QXmlStreamReader>

#include <signal.h>

using namespace Qt::StringLiterals;
using tests::GenprofRunner;
using tests::Ran;

namespace {

/// Of 64 MiB: 30 % in the 12 seconds of a test.
const QString kLeak = u"1700000"_s;
const QString kNoLeak = u"0"_s;

QStringList soakOf(const GenprofRunner &runner, QStringList options, const QStringList &command)
{
    return QStringList{u"soak"_s, u"-q"_s, u"--alerts"_s, u"off"_s, u"-o"_s, runner.session()} + options
        + (command.isEmpty() ? QStringList() : QStringList{u"--"_s} + command);
}

QStringList server(const QString &leak) { return {GenprofRunner::target(u"soak_server"_s), leak}; }

QString outcome(const QJsonObject &report) { return report["outcome"_L1].toString(); }

/// The only process of the newest leg.
qint64 pidOf(const QJsonObject &report)
{
    const QJsonArray legs = report["legs"_L1].toArray();
    return legs.isEmpty() ? 0 : legs.last()["pid"_L1].toInteger();
}

/// It has not ended, whoever may have to collect it.
bool isRunning(qint64 pid)
{
    QFile stat(u"/proc/%1/stat"_s.arg(pid));
    if (pid <= 0 || !stat.open(QFile::ReadOnly))
        return false;
    const QByteArray text = stat.readAll();
    return !text.mid(text.lastIndexOf(')') + 2).startsWith('Z');
}

void waitUntilGone(qint64 pid) { QTRY_VERIFY_WITH_TIMEOUT(!isRunning(pid), 10'000); }

/// Waits until a running test has points in its file.
bool hasBegun(const GenprofRunner &runner)
{
    return QTest::qWaitFor(
        [&] {
            const QJsonObject report = runner.report(u"verdict"_s);
            return report["elapsed_s"_L1].toDouble() > 0.3;
        },
        30'000);
}

bool isLong() { return qEnvironmentVariableIntValue("GENESIS_LONG_TESTS") > 0; }

int killsOfATest() { return isLong() ? 20 : 2; }

} // namespace

/// Stability tests of real programs; twelve seconds stand for the 48 hours.
class SoakIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHealthyServerIsStable()
    {
        const GenprofRunner runner;
        const Ran ran = runner.genprof(soakOf(runner,
            {u"--for"_s, u"12s"_s, u"--load"_s, u"sleep 0.2"_s, u"--stop-early"_s, u"pass"_s}, server(kNoLeak)));
        QVERIFY2(ran.exitCode == 0, ran.err.constData());
        const QJsonObject report = runner.report(u"verdict"_s);
        QCOMPARE(outcome(report), u"stable"_s);
        QVERIFY(report["is_provisional"_L1].toBool());
        for (const QJsonValue quantity : report["segments"_L1][0]["quantities"_L1].toArray()) {
            QVERIFY(quantity["is_judged"_L1].toBool());
            QCOMPARE(quantity["state"_L1].toString(), u"provisional_pass"_s);
            // The interval is two-sided, so a little wider than the test that decides.
            const double growth = quantity["growth_share"_L1].toDouble();
            QVERIFY(growth < 0.05);
            QVERIFY(quantity["growth_interval"_L1][0].toDouble() <= growth);
            QVERIFY(growth <= quantity["growth_interval"_L1][1].toDouble());
        }
        const auto verdict = [&](const QString &format) {
            return runner.genprof({u"report"_s, runner.session(), u"--what"_s, u"verdict"_s, u"--format"_s, format})
                .out;
        };
        QVERIFY(verdict(u"text"_s).contains("STABLE SO FAR. "));
        const QByteArray csv = verdict(u"csv"_s);
        QVERIFY2(csv.contains(",answer,stable,,,,") && csv.contains(",quantity,provisional_pass,")
                && csv.contains(",point,,,,,\n"),
            csv.left(2000).constData());
        QVERIFY(verdict(u"junit"_s).contains("name=\"Whole time\"") && verdict(u"junit"_s).contains("<skipped"));
        const QJsonValue load = report["loads"_L1][0];
        QVERIFY(load["starts"_L1].toInt() >= 3);
        QCOMPARE(load["failures"_L1].toInt(), 0);
        waitUntilGone(pidOf(report));
    }

    /// Long after it could have passed.
    void aLeakThatBeginsLateIsFound()
    {
        const GenprofRunner runner;
        const QString late
            = u"a = []\nimport time\nbegin = time.monotonic()\nb = bytes(b'1') * 20_000_000\nwhile True:\n"
              " time.sleep(0.05)\n if time.monotonic() - begin > 6: a.append(bytes(b'1') * 300_000)"_s;
        const Ran ran = runner.genprof(
            soakOf(runner, {u"--for"_s, u"18s"_s, u"--heap"_s, u"off"_s}, {u"/usr/bin/python3"_s, u"-c"_s, late}));
        QVERIFY2(ran.exitCode == 1, ran.err.constData());
        // It is told to be quiet: the verdict, and nothing else.
        QVERIFY2(ran.err.startsWith("genprof: LEAKING. ") && ran.err.count('\n') == 1, ran.err.constData());
        QVERIFY(runner.report(u"verdict"_s)["elapsed_s"_L1].toDouble() > 6);
    }

    /// Its end is seen, whatever its memory did until then.
    void aTargetThatEndsTooSoonHasNotPassed()
    {
        const GenprofRunner runner;
        const Ran ran = runner.genprof(soakOf(runner, {u"--for"_s, u"12s"_s}, {u"sleep"_s, u"4"_s}));
        QVERIFY2(ran.exitCode == 3, ran.err.constData());
        QCOMPARE(outcome(runner.report(u"verdict"_s)), u"target_failed"_s);
    }

    void whoseTimeIsUpWasNotDecided()
    {
        const GenprofRunner runner;
        const Ran ran = runner.genprof(soakOf(runner,
            {u"--for"_s, u"10s"_s, u"--stop-early"_s, u"never"_s, u"--heap"_s, u"off"_s}, {u"sleep"_s, u"60"_s}));
        QVERIFY2(ran.err.startsWith("genprof: ") && ran.err.count('\n') == 1, ran.err.constData());
        QCOMPARE(runner.report(u"summary"_s)["end_reason"_L1].toString(), u"duration reached"_s);
    }

    void aLeakingServerIsFoundAndItsStackIsNamed()
    {
        const GenprofRunner runner;
        const Ran ran = runner.genprof(soakOf(runner, {u"--for"_s, u"12s"_s}, server(kLeak)));
        QVERIFY2(ran.exitCode == 1, ran.err.constData());
        const QJsonObject report = runner.report(u"verdict"_s);
        QCOMPARE(outcome(report), u"leaking"_s);
        const QString places = QString::fromUtf8(QJsonDocument(report["places"_L1].toArray()).toJson());
        QVERIFY2(places.contains("newBlock"_L1) || places.contains("keepForEver"_L1), qPrintable(places));

        const Ran xml
            = runner.genprof({u"report"_s, runner.session(), u"--what"_s, u"verdict"_s, u"--format"_s, u"junit"_s});
        QCOMPARE(xml.exitCode, 0);
        QXmlStreamReader reader(xml.out);
        int failures = 0, cases = 0;
        while (!reader.atEnd()) {
            reader.readNext();
            cases += reader.isStartElement() && reader.name() == "testcase"_L1 ? 1 : 0;
            failures += reader.isStartElement() && reader.name() == "failure"_L1 ? 1 : 0;
        }
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
        QVERIFY(failures >= 1 && cases == 4);
        const Ran text = runner.genprof({u"report"_s, runner.session(), u"--what"_s, u"verdict"_s});
        QVERIFY(text.out.contains("LEAKING"));
        const Ran again = runner.genprof({u"soak"_s, u"--resume"_s, runner.session()});
        QCOMPARE(again.exitCode, 1);
        QVERIFY2(again.err.contains("has ended already"), again.err.constData());
    }

    /// The figure of the whole feature: both at once, so that they see the same machine.
    void tenMinutesTellALeakFromItsHealthyTwin()
    {
        if (!isLong())
            QSKIP("takes ten minutes: GENESIS_LONG_TESTS=1 runs it");
        constexpr int kMostMs = 11 * 60'000;
        const GenprofRunner healthy, leaking;
        const QString leak = u"12000"_s; // 11 % in ten minutes
        auto calm
            = healthy.start(soakOf(healthy, {u"--for"_s, u"10m"_s, u"--stop-early"_s, u"never"_s}, server(kNoLeak)));
        auto growing
            = leaking.start(soakOf(leaking, {u"--for"_s, u"10m"_s, u"--stop-early"_s, u"never"_s}, server(leak)));
        QVERIFY(calm->waitForFinished(kMostMs) && growing->waitForFinished(kMostMs));
        QVERIFY2(calm->exitCode() == 0, calm->readAllStandardError().constData());
        QVERIFY2(growing->exitCode() == 1, growing->readAllStandardError().constData());
        const QString places
            = QString::fromUtf8(QJsonDocument(leaking.report(u"verdict"_s)["places"_L1].toArray()).toJson());
        QVERIFY2(places.contains("newBlock"_L1) || places.contains("keepForEver"_L1), qPrintable(places));
    }

    void saysTheSameWhereverTheRecorderIsKilled_data()
    {
        QTest::addColumn<QString>("leak");
        QTest::addColumn<int>("exitCode");
        QTest::newRow("healthy") << kNoLeak << 0;
        QTest::newRow("leaking") << kLeak << 1;
    }
    void saysTheSameWhereverTheRecorderIsKilled()
    {
        QFETCH(QString, leak);
        QFETCH(int, exitCode);
        int resumedRuns = 0;
        for (int i = 0; i < killsOfATest(); ++i) {
            const GenprofRunner runner;
            // Long: killed anywhere in its whole time; else the answer comes within a second or two.
            auto process = runner.start(soakOf(runner,
                {u"--for"_s, u"12s"_s, u"--heap"_s, u"off"_s, u"--load"_s, u"sleep 0.1"_s, u"--stop-early"_s,
                    isLong() ? u"never"_s : u"both"_s},
                server(leak)));
            QTest::qWait(QRandomGenerator::global()->bounded(150, isLong() ? 11'000 : 900));
            if (process->state() != QProcess::Running)
                continue; // it knew enough already
            process->kill();
            process->waitForFinished();
            const QJsonObject before = runner.report(u"verdict"_s);
            if (!before["is_soak"_L1].toBool())
                continue;                                          // killed before the target was
            const bool hadEnded = outcome(before) != u"running"_s; // killed while it completed its file
            if (!hadEnded && !isRunning(pidOf(before)))
                continue; // killed before it had let the target run
            const Ran resumed = runner.genprof({u"soak"_s, u"--resume"_s, runner.session(), u"--alerts"_s, u"off"_s});
            QVERIFY2(resumed.exitCode == exitCode, resumed.err.constData());
            ++resumedRuns;
            if (hadEnded)
                continue;
            const QJsonObject report = runner.report(u"verdict"_s);
            QCOMPARE(report["segments"_L1].toArray().size(), 1);
            QCOMPARE(report["legs"_L1].toArray().size(), 2);
            QVERIFY(QFile::exists(runner.path(report["legs"_L1][0]["file"_L1].toString())));
            QVERIFY(report["loads"_L1][0]["starts"_L1].toInt() > before["loads"_L1][0]["starts"_L1].toInt());
            waitUntilGone(pidOf(report));
        }
        qInfo("%d of %d were resumed", resumedRuns, killsOfATest());
        QVERIFY(!isLong() || resumedRuns * 2 > killsOfATest());
    }

    void aRestartedTargetBeginsASegment()
    {
        const GenprofRunner runner;
        auto process
            = runner.start(soakOf(runner, {u"--for"_s, u"2m"_s, u"--stop-early"_s, u"fail"_s}, server(kNoLeak)));
        QVERIFY(hasBegun(runner));
        process->terminate();
        QCOMPARE(tests::waitForExit(*process), 2);
        QJsonObject report = runner.report(u"verdict"_s);
        QCOMPARE(outcome(report), u"undecided"_s);
        waitUntilGone(pidOf(report));
        auto again = runner.start({u"soak"_s, u"-q"_s, u"--resume"_s, runner.session()});
        QVERIFY(
            QTest::qWaitFor([&] { return runner.report(u"verdict"_s)["segments"_L1].toArray().size() == 2; }, 30'000));
        again->terminate();
        QCOMPARE(tests::waitForExit(*again), 2);
        report = runner.report(u"verdict"_s);
        QCOMPARE(report["segments"_L1].toArray().size(), 2);
        QVERIFY(report["elapsed_s"_L1].toDouble() > 0.3);
    }

    /// What a reboot leaves: a file that ends in the middle, of another boot. That a process with the pid and start of the target runs proves
    /// nothing then.
    void aRebootBeginsASegment()
    {
        const GenprofRunner runner;
        auto process = runner.start(soakOf(
            runner, {u"--for"_s, u"2m"_s, u"--stop-early"_s, u"fail"_s, u"--load"_s, u"sleep 0.1"_s}, server(kNoLeak)));
        QVERIFY(hasBegun(runner));
        process->kill();
        process->waitForFinished();
        const qint64 pid = pidOf(runner.report(u"verdict"_s));
        QVERIFY(isRunning(pid));
        {
            auto database = storage::Database::open(runner.session().toStdString(), storage::OpenMode::ReadWrite);
            QVERIFY(database.has_value());
            QVERIFY(
                database
                    ->execute("UPDATE soak_leg SET boot = '0f8b2d6e-the-boot-before', began_wall_ns = began_wall_ns + "
                              "86400000000000, began_boot_ns = began_boot_ns + 999999999999999")
                    .has_value());
        }
        auto again = runner.start({u"soak"_s, u"--resume"_s, runner.session(), u"--alerts"_s, u"off"_s});
        QVERIFY(QTest::qWaitFor(
            [&] {
                const QJsonObject report = runner.report(u"verdict"_s);
                return report["segments"_L1].toArray().size() == 2 && !report["loads"_L1].toArray().isEmpty();
            },
            30'000));
        again->terminate();
        QCOMPARE(tests::waitForExit(*again), 2);
        const QByteArray said = again->readAllStandardError();
        QVERIFY2(said.contains("The machine was booted meanwhile"), said.constData());
        const QJsonObject report = runner.report(u"verdict"_s);
        QCOMPARE(report["legs"_L1].toArray().size(), 2);
        QVERIFY(pidOf(report) != pid);
        QVERIFY(isRunning(pid)); // not ours any more
        QVERIFY(report["elapsed_s"_L1].toDouble() < 120);
        ::kill(static_cast<pid_t>(pid), SIGKILL);
        waitUntilGone(pidOf(report));
    }

    void aTargetOrLoadThatFailsEndsTheTest_data()
    {
        QTest::addColumn<QStringList>("options");
        QTest::addColumn<QStringList>("command");
        QTest::addColumn<QString>("outcome");
        QTest::addColumn<QString>("says");
        QTest::newRow("target ends") << QStringList{} << QStringList{u"sleep"_s, u"0.5"_s} << u"target_failed"_s
                                     << u"ended with status 0"_s;
        QTest::newRow("target is killed") << QStringList{} << QStringList{u"sh"_s, u"-c"_s, u"sleep 0.4; kill -9 $$"_s}
                                          << u"target_failed"_s << u"killed by signal 9"_s;
        QTest::newRow("load cannot start") << QStringList{u"--load"_s, u"no-such-load-program"_s} << server(kNoLeak)
                                           << u"load_failed"_s << u"cannot be started"_s;
        QTest::newRow("load fails all the time") << QStringList{u"--load"_s, u"echo 'not today' >&2; exit 7"_s}
                                                 << server(kNoLeak) << u"load_failed"_s << u"not today"_s;
    }
    void aTargetOrLoadThatFailsEndsTheTest()
    {
        QFETCH(QStringList, options);
        QFETCH(QStringList, command);
        QFETCH(QString, outcome);
        QFETCH(QString, says);
        const GenprofRunner runner;
        const Ran ran = runner.genprof(
            soakOf(runner, QStringList{u"--for"_s, u"20s"_s, u"--stop-early"_s, u"never"_s} + options, command));
        QVERIFY2(ran.exitCode == 3, ran.err.constData());
        const QJsonObject report = runner.report(u"verdict"_s);
        QCOMPARE(::outcome(report), outcome);
        QVERIFY2(report["sentence"_L1].toString().contains(says), qPrintable(report["sentence"_L1].toString()));
        if (!report["loads"_L1].toArray().isEmpty())
            QVERIFY(report["loads"_L1][0]["starts"_L1].toInt() <= 10);
    }

    void whatCannotBeDoneIsSaidAtOnce_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("exitCode");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("no target") << QStringList{u"soak"_s} << 125 << QByteArray("What is to be tested?");
        QTest::newRow("too short") << QStringList{u"soak"_s, u"--for"_s, u"3s"_s, u"--"_s, u"true"_s} << 125
                                   << QByteArray("10s to 60d");
        QTest::newRow("no percent") << QStringList{u"soak"_s, u"--limit"_s, u"much"_s, u"--"_s, u"true"_s} << 125
                                    << QByteArray("--limit much");
        QTest::newRow("no such file") << QStringList{u"soak"_s, u"--resume"_s, u"/no/such.gprof-session"_s} << 125
                                      << QByteArray("Cannot open /no/such.gprof-session");
        QTest::newRow("no such command") << QStringList{u"soak"_s, u"--"_s, u"/no/such/command"_s} << 3
                                         << QByteArray("/no/such/command");
    }
    void whatCannotBeDoneIsSaidAtOnce()
    {
        QFETCH(QStringList, arguments);
        QFETCH(int, exitCode);
        QFETCH(QByteArray, says);
        const GenprofRunner runner;
        if (arguments.size() > 1 && arguments.last().contains(u"command"_s))
            arguments.insert(1, u"-o"_s), arguments.insert(2, runner.session());
        const Ran ran = runner.genprof(arguments);
        QCOMPARE(ran.exitCode, exitCode);
        QVERIFY2(ran.err.contains(says), ran.err.constData());
        QVERIFY(!QFile::exists(runner.session()));
    }

    void aRunningProcessIsTestedAndRunsOn()
    {
        const GenprofRunner runner;
        QProcess target;
        target.start(server(kNoLeak).first(), {kNoLeak});
        tests::readUntil(target, "ready");
        const Ran ran = runner.genprof(
            soakOf(runner, {u"--for"_s, u"12s"_s, u"--attach"_s, QString::number(target.processId())}, {}));
        QVERIFY2(ran.exitCode == 0, ran.err.constData());
        QCOMPARE(target.state(), QProcess::Running);
        const QJsonObject report = runner.report(u"verdict"_s);
        QVERIFY(!report["segments"_L1][0]["quantities"_L1][2]["is_judged"_L1].toBool());
        target.kill();
        target.waitForFinished();
    }
};

QTEST_GUILESS_MAIN(SoakIntegrationTest)
#include "soak_integration_test.moc"
