// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTest>

#include <unistd.h>

#include <csignal>

using tests::GenprofRunner;
using tests::Ran;

namespace {

using Counts = QMap<QString, qint64>; ///< blocks, by "expected class/found class"

const QStringList kClasses{QStringLiteral("definitely_lost"), QStringLiteral("indirectly_lost"),
    QStringLiteral("possibly_lost"), QStringLiteral("still_reachable"), QStringLiteral("not_judged")};

/// What the function that allocates says is right.
QString expectedClass(const QString &function)
{
    static const QMap<QString, QString> kFunctions{{QStringLiteral("expectDirectly"), kClasses[0]},
        {QStringLiteral("expectIndirectly"), kClasses[1]}, {QStringLiteral("expectPossibly"), kClasses[2]},
        {QStringLiteral("expectReachable"), kClasses[3]}};
    return kFunctions.value(function.section(QLatin1Char('('), 0, 0));
}

Counts countsOf(const QJsonObject &scan)
{
    Counts counts;
    for (const QJsonValue stack : scan[QStringLiteral("stacks")].toArray()) {
        QString expected;
        for (const QJsonValue frame : stack[QStringLiteral("frames")].toArray())
            if (expected.isEmpty())
                expected = expectedClass(frame[QStringLiteral("function")].toString());
        for (const QString &found : kClasses)
            if (const qint64 blocks = stack[found][QStringLiteral("blocks")].toInteger(); blocks > 0)
                counts[(expected.isEmpty() ? QStringLiteral("others") : expected) + QLatin1Char('/') + found] += blocks;
    }
    return counts;
}

/// The counts that a target printed, as countsOf() names them.
Counts truthOf(const QByteArray &printed)
{
    Counts counts;
    const QMap<QByteArray, QString> names{
        {"directly", kClasses[0]}, {"indirectly", kClasses[1]}, {"possibly", kClasses[2]}, {"reachable", kClasses[3]}};
    for (auto it = names.begin(); it != names.end(); ++it)
        if (const qint64 blocks = tests::figure(printed, it.key()); blocks > 0)
            counts[it.value() + QLatin1Char('/') + it.value()] = blocks;
    return counts;
}

QString text(const Counts &counts)
{
    QStringList lines;
    for (auto it = counts.begin(); it != counts.end(); ++it)
        lines << QStringLiteral("%1 %2").arg(it.key()).arg(it.value());
    return lines.join(QLatin1Char('\n'));
}

QJsonObject lastScan(const QJsonObject &report)
{
    const QJsonArray scans = report[QStringLiteral("scans")].toArray();
    return scans.isEmpty() ? QJsonObject() : scans.last().toObject();
}

qint64 blocks(const QJsonObject &scan, int which)
{
    return scan[kClasses[which]][QStringLiteral("blocks")].toInteger();
}

} // namespace

/// The scan of a running program for lost memory, from the command to the report.
class LostMemoryIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void classesAreThoseThatTheProgramSays_data();
    void classesAreThoseThatTheProgramSays();
    void agreesWithMemcheck_data();
    void agreesWithMemcheck();
    void secondScanConfirms();
    void youngBlocksAreNotJudged();
    void healthyProgramIsNotAccusedAfterAttach();
    void programDoesNotNoticeItsCopy();
    void programSurvivesARecorderKilledInAScan();
    void saysWhyItStoodStill();
    void sampledHeapGivesALowerBound();
    void tracerHoldsNoBlock_data();
    void tracerHoldsNoBlock();
    void timeOfSamplesLeavesALowerBound();
    void scansOnASchedule();
    void refusesWhatCannotBe();

private:
    static QByteArray scan(const GenprofRunner &runner, const QStringList &options);
};

QByteArray LostMemoryIntegrationTest::scan(const GenprofRunner &runner, const QStringList &options)
{
    const Ran ran = runner.control(QStringList{QStringLiteral("scan")} + options);
    if (ran.exitCode != 0)
        qWarning("%s", ran.err.constData());
    return ran.out;
}

void LostMemoryIntegrationTest::classesAreThoseThatTheProgramSays_data()
{
    QTest::addColumn<QString>("target");
    QTest::newRow("shapes of graphs") << QStringLiteral("lost_shapes");
    QTest::newRow("places of pointers") << QStringLiteral("lost_roots");
}

void LostMemoryIntegrationTest::classesAreThoseThatTheProgramSays()
{
    QFETCH(QString, target);
    const GenprofRunner runner;
    const auto recording = runner.startRecording(
        {QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")}, {GenprofRunner::target(target)});
    const QByteArray printed = tests::readUntil(*recording, "ready");
    const QByteArray answer = scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s")});
    QVERIFY2(answer.simplified().contains("Definitely lost"), answer);
    QVERIFY2(answer.simplified().contains("It stood still for"), answer);
    const QByteArray asJson
        = scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s"), QStringLiteral("--json")});
    const QJsonArray told = QJsonDocument::fromJson(asJson).object()[QStringLiteral("scans")].toArray();
    QVERIFY2(told.size() == 2 && told.last()[QStringLiteral("stacks")].isArray(), asJson);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    const QJsonObject report = runner.report(QStringLiteral("lost"));
    const QJsonObject found = lastScan(report);
    QCOMPARE(found[QStringLiteral("proof")].toString(), QStringLiteral("complete"));
    Counts counts = countsOf(found);
    for (const QString &loss : {QStringLiteral("others/definitely_lost"), QStringLiteral("others/indirectly_lost")}) {
        // aligned() has no function of ours: its three blocks are lost too.
        const qint64 aligned = target == QStringLiteral("lost_shapes") && loss.contains(QStringLiteral("def")) ? 3 : 0;
        QCOMPARE(counts.take(loss), aligned);
    }
    counts.remove(QStringLiteral("others/still_reachable"));
    counts.remove(QStringLiteral("others/possibly_lost")); // threads' control blocks, held from their own middle
    QCOMPARE(text(counts), text(truthOf(printed)));
    QVERIFY(!found[QStringLiteral("holders")].toArray().isEmpty());
}

void LostMemoryIntegrationTest::agreesWithMemcheck_data() { classesAreThoseThatTheProgramSays_data(); }

/// Valgrind's own answer to the same program, by the functions that allocate.
void LostMemoryIntegrationTest::agreesWithMemcheck()
{
    QFETCH(QString, target);
    const QString valgrind = QStandardPaths::findExecutable(QStringLiteral("valgrind"));
    if (valgrind.isEmpty())
        QSKIP("valgrind is not installed");
    const GenprofRunner runner;
    QProcess process;
    process.setProcessChannelMode(QProcess::SeparateChannels);
    process.start(valgrind,
        {QStringLiteral("--leak-check=full"), QStringLiteral("--show-leak-kinds=all"),
            QStringLiteral("--leak-check-heuristics=all"), QStringLiteral("--num-callers=60"),
            QStringLiteral("--vgdb=no"), GenprofRunner::target(target)});
    const QByteArray printed = tests::readUntil(process, "ready");
    process.write("\n");
    process.waitForFinished(60'000);
    const QString log = QString::fromUtf8(process.readAllStandardError()).section(QStringLiteral("@@scan"), 1, 1);
#if __has_include(<valgrind/memcheck.h>)
    QVERIFY2(!log.isEmpty(), "valgrind ran the target and printed no scan");
#else
    if (log.isEmpty())
        QSKIP("valgrind's header was not there when the target was built");
#endif
    Counts counts;
    static const QRegularExpression kRecord(QStringLiteral(
        "in ([\\d,]+) blocks? (?:is|are) (definitely lost|indirectly lost|possibly lost|still reachable)"));
    static const QRegularExpression kFunction(QStringLiteral("(expect\\w+)"));
    QString found;
    qint64 count = 0;
    for (const QString &line : log.split(QLatin1Char('\n'))) {
        if (const auto record = kRecord.match(line); record.hasMatch()) {
            count = record.captured(1).remove(QLatin1Char(',')).toLongLong();
            found = record.captured(2).replace(QLatin1Char(' '), QLatin1Char('_'));
        } else if (const auto function = kFunction.match(line); function.hasMatch() && count > 0) {
            counts[expectedClass(function.captured(1)) + QLatin1Char('/') + found] += count;
            count = 0;
        }
    }
    Counts truth = truthOf(printed);
    if (target == QStringLiteral("lost_roots")) {
        // Memcheck finds thread-local memory of late libraries by a pointer into the middle of the loader's table alone, and so does not
        // vouch for it; we know what the loader allocates.
        --truth[QStringLiteral("still_reachable/still_reachable")];
        ++truth[QStringLiteral("still_reachable/possibly_lost")];
    }
    QCOMPARE(text(counts), text(truth));
}

void LostMemoryIntegrationTest::secondScanConfirms()
{
    const GenprofRunner runner;
    const auto recording = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
        {GenprofRunner::target(QStringLiteral("lost_shapes"))});
    tests::readUntil(*recording, "ready");
    const QByteArray answer = scan(runner,
        {QStringLiteral("--confirm"), QStringLiteral("--confirm-after"), QStringLiteral("300ms"),
            QStringLiteral("--min-age"), QStringLiteral("0s")});
    QVERIFY2(answer.simplified().contains("as they were in an earlier scan"), answer);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    const QJsonObject report = runner.report(QStringLiteral("lost"));
    QCOMPARE(report[QStringLiteral("scans")].toArray().size(), 2);
    const QJsonObject second = lastScan(report);
    QCOMPARE(second[QStringLiteral("confirms")].toInt(), 1);
    QCOMPARE(second[QStringLiteral("confirmed")][QStringLiteral("blocks")].toInteger(),
        blocks(second, 0) + blocks(second, 1));
    const QByteArray csv = runner
                               .genprof({QStringLiteral("report"), runner.session(), QStringLiteral("--what"),
                                   QStringLiteral("lost"), QStringLiteral("--format"), QStringLiteral("csv")})
                               .out;
    QVERIFY(csv.startsWith("scan,pid,time_s,still_reachable_blocks,"));
    QVERIFY(csv.contains("longList"));
}

void LostMemoryIntegrationTest::youngBlocksAreNotJudged()
{
    const GenprofRunner runner;
    const auto recording = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
        {GenprofRunner::target(QStringLiteral("lost_shapes"))});
    tests::readUntil(*recording, "ready");
    const QByteArray answer = scan(runner, {});
    QVERIFY2(answer.simplified().contains("Pointers lead to all"), answer);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    const QJsonObject found = lastScan(runner.report(QStringLiteral("lost")));
    QCOMPARE(blocks(found, 0) + blocks(found, 1), 0);
    QVERIFY(blocks(found, 4) > 1000);
}

void LostMemoryIntegrationTest::healthyProgramIsNotAccusedAfterAttach()
{
    const GenprofRunner runner;
    QProcess target;
    target.start(GenprofRunner::target(QStringLiteral("attach_busy_now")), {});
    QVERIFY(target.waitForStarted());
    QTest::qWait(300);
    const auto recording = runner.start({QStringLiteral("attach"), QStringLiteral("--heap"), QStringLiteral("full"),
        QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("-q"), QStringLiteral("-o"), runner.session(),
        QString::number(target.processId())});
    runner.waitForStatus();
    for (int i = 0; i < 3; ++i)
        scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s")});
    QCOMPARE(runner.control({QStringLiteral("stop")}).exitCode, 0);
    tests::waitForExit(*recording);
    target.kill();
    target.waitForFinished();
    const QJsonObject report = runner.report(QStringLiteral("lost"));
    QCOMPARE(report[QStringLiteral("scans")].toArray().size(), 3);
    for (const QJsonValue one : report[QStringLiteral("scans")].toArray()) {
        QCOMPARE(one[QStringLiteral("proof")].toString(), QStringLiteral("lower_bound"));
        QVERIFY(one[QStringLiteral("limits")].toString().contains(QStringLiteral("attached")));
        QCOMPARE(blocks(one.toObject(), 0) + blocks(one.toObject(), 1), 0);
    }
}

/// Its memory is read from a copy by fork while it runs on; also of what a fork does not copy.
void LostMemoryIntegrationTest::programDoesNotNoticeItsCopy()
{
    const GenprofRunner runner;
    const auto recording
        = runner.startRecording({QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("forked_copy"))});
    const QByteArray printed = tests::readUntil(*recording, "ready");
    for (int i = 0; i < 4; ++i)
        scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s")});
    recording->write("\n");
    const QByteArray seen = tests::readUntil(*recording, "children");
    QCOMPARE(tests::waitForExit(*recording), 0);
    QVERIFY2(seen.contains("children 0 early 0 wrong 0 deaf 0 descriptors 0"), seen);
    const QJsonObject report = runner.report(QStringLiteral("lost"));
    QCOMPARE(report[QStringLiteral("scans")].toArray().size(), 4);
    for (const QJsonValue one : report[QStringLiteral("scans")].toArray()) {
        const QString limits = one[QStringLiteral("limits")].toString();
        QVERIFY2(limits.contains(QStringLiteral("from a copy by fork")), qPrintable(limits));
        QCOMPARE(one[QStringLiteral("proof")].toString(), QStringLiteral("complete"));
        QCOMPARE(blocks(one.toObject(), 0) + blocks(one.toObject(), 1), 0);
        QVERIFY(blocks(one.toObject(), 3) >= tests::figure(printed, "reachable"));
    }
    // The program has children of its own, which are told from the copies by their parent alone.
    const QByteArray orphans = runner
                                   .genprof({QStringLiteral("sql"), runner.session(),
                                       QStringLiteral("SELECT count(*) AS n FROM thread t JOIN string s ON s.id = "
                                                      "t.name WHERE s.text LIKE 'genprof-copy%'"),
                                       QStringLiteral("--format"), QStringLiteral("csv")})
                                   .out;
    QCOMPARE(orphans.simplified(), QByteArray("n 0"));
}

/// Wherever it is killed, the program runs on, and no copy of it stays.
void LostMemoryIntegrationTest::programSurvivesARecorderKilledInAScan()
{
    for (const int afterMs : {0, 2, 5, 10, 20, 40}) {
        const GenprofRunner runner;
        QProcess target;
        target.start(GenprofRunner::target(QStringLiteral("forked_copy")), {});
        tests::readUntil(target, "ready");
        const auto recording = runner.start({QStringLiteral("attach"), QStringLiteral("--heap"), QStringLiteral("full"),
            QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("-q"), QStringLiteral("-o"),
            runner.session(), QString::number(target.processId())});
        runner.waitForStatus();
        const auto asking = runner.start({QStringLiteral("ctl"), runner.session(), QStringLiteral("scan")});
        QTest::qWait(20 + afterMs);
        recording->kill();
        recording->waitForFinished();
        asking->kill();
        asking->waitForFinished();
        target.write("\n");
        const QByteArray seen = tests::readUntil(target, "children");
        // The other threads run as soon as the recorder is gone: one that asks for children of every kind (__WALL) may meet the helper that
        // makes the copy, before the thread that called it has waited for it.
        QVERIFY2((seen.contains("children 0 ") || seen.contains("children 1 "))
                && seen.contains(" wrong 0 deaf 0 descriptors 0"),
            seen);
        QCOMPARE(tests::waitForExit(target), 0);
    }
    const auto copies = [] {
        QProcess list;
        list.start(QStringLiteral("ps"),
            {QStringLiteral("-C"), QStringLiteral("genprof-copy"), QStringLiteral("-o"), QStringLiteral("stat=")});
        list.waitForFinished();
        return list.readAllStandardOutput().simplified().replace('Z', ' ').simplified();
    };
    QTRY_COMPARE_WITH_TIMEOUT(copies(), QByteArray(), 5000);
}

/// Where no copy is made, the result says why, and finds the same.
void LostMemoryIntegrationTest::saysWhyItStoodStill()
{
    const GenprofRunner runner;
    const auto recording = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
        {QStringLiteral("sh"), QStringLiteral("-c"), QStringLiteral("echo pid $$; exec \"$0\""),
            GenprofRunner::target(QStringLiteral("lost_shapes"))});
    const QByteArray printed = tests::readUntil(*recording, "ready");
    const QStringList atOnce{QStringLiteral("--min-age"), QStringLiteral("0s")};
    const auto pid = static_cast<pid_t>(tests::figure(printed, "pid"));
    scan(runner, atOnce);
    QCOMPARE(::kill(pid, SIGSTOP), 0);
    const QByteArray answer = scan(runner, atOnce);
    ::kill(pid, SIGCONT);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    QVERIFY2(
        answer.simplified().contains("It stood still while its memory was read: it is stopped by a signal"), answer);
    const QJsonArray scans = runner.report(QStringLiteral("lost"))[QStringLiteral("scans")].toArray();
    QCOMPARE(scans.size(), 2);
    QVERIFY(scans.first()[QStringLiteral("limits")].toString().contains(QStringLiteral("from a copy by fork")));
    for (int i = 0; i < kClasses.size(); ++i)
        QCOMPARE(blocks(scans.last().toObject(), i), blocks(scans.first().toObject(), i));
}

void LostMemoryIntegrationTest::sampledHeapGivesALowerBound()
{
    const GenprofRunner runner;
    const auto recording = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off"),
                                                     QStringLiteral("--heap"), QStringLiteral("sampled=64")},
        {GenprofRunner::target(QStringLiteral("lost_shapes"))});
    const QByteArray printed = tests::readUntil(*recording, "ready");
    const QByteArray answer = scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s")});
    QVERIFY2(answer.simplified().contains("lower bound"), answer);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    const QJsonObject found = lastScan(runner.report(QStringLiteral("lost")));
    // What is called lost is so, and it is not all.
    const Counts truth = truthOf(printed);
    const Counts counts = countsOf(found);
    QCOMPARE(counts.value(QStringLiteral("still_reachable/definitely_lost")), 0);
    QCOMPARE(counts.value(QStringLiteral("possibly_lost/definitely_lost")), 0);
    QVERIFY(blocks(found, 0) > 0);
    QVERIFY(blocks(found, 0) <= truth.value(QStringLiteral("definitely_lost/definitely_lost")) + 3);
}

void LostMemoryIntegrationTest::tracerHoldsNoBlock_data()
{
    QTest::addColumn<QString>("mode");
    QTest::newRow("all blocks") << QStringLiteral("full");
    QTest::newRow("samples") << QStringLiteral("sampled=64");
}

/// The thread that lost its last block stands still, with all that the tracer remembers of it.
void LostMemoryIntegrationTest::tracerHoldsNoBlock()
{
    QFETCH(QString, mode);
    const GenprofRunner runner;
    const auto recording = runner.startRecording(
        {QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("--heap"), mode},
        {GenprofRunner::target(QStringLiteral("lost_last"))});
    tests::readUntil(*recording, "ready");
    const QByteArray answer = scan(runner, {QStringLiteral("--min-age"), QStringLiteral("0s")});
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    QVERIFY2(blocks(lastScan(runner.report(QStringLiteral("lost"))), 0) >= 1, answer);
    QVERIFY2(answer.contains("2.86 MiB lost"), answer);
}

/// Loss is proved only where every block is known, which those that came while blocks were sampled are not.
void LostMemoryIntegrationTest::timeOfSamplesLeavesALowerBound()
{
    const GenprofRunner runner;
    const auto recording = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
        {GenprofRunner::target(QStringLiteral("lost_shapes"))});
    tests::readUntil(*recording, "ready");
    const auto modeIs = [&](const char *mode) { return runner.control({QStringLiteral("mode"), QLatin1String(mode)}); };
    const QStringList atOnce{QStringLiteral("--min-age"), QStringLiteral("0s")};
    QVERIFY(!scan(runner, atOnce).contains("lower bound"));
    QCOMPARE(modeIs("sampled=64KiB").exitCode, 0);
    QTest::qWait(300);
    QVERIFY(scan(runner, atOnce).contains("are sampled"));
    QCOMPARE(modeIs("full").exitCode, 0);
    QTest::qWait(300);
    const QByteArray after = scan(runner, atOnce);
    QVERIFY2(after.simplified().contains("for a part of the time"), after);
    QVERIFY2(after.simplified().contains("lower bound"), after);
    recording->write("\n");
    QCOMPARE(tests::waitForExit(*recording), 0);
    QCOMPARE(lastScan(runner.report(QStringLiteral("lost")))[QStringLiteral("proof")].toString(),
        QStringLiteral("lower_bound"));
}

void LostMemoryIntegrationTest::scansOnASchedule()
{
    const GenprofRunner runner;
    const Ran refused = runner.record({QStringLiteral("--scan-every"), QStringLiteral("1s")}, {QStringLiteral("true")});
    QCOMPARE(refused.exitCode, 125);
    QVERIFY(refused.err.contains("30s or more"));
}

void LostMemoryIntegrationTest::refusesWhatCannotBe()
{
    const GenprofRunner runner;
    const auto recording
        = runner.startRecording({QStringLiteral("-q"), QStringLiteral("--heap"), QStringLiteral("off")},
            {GenprofRunner::target(QStringLiteral("lost_shapes"))});
    tests::readUntil(*recording, "ready");
    const Ran ran = runner.control({QStringLiteral("scan")});
    QVERIFY(ran.exitCode != 0);
    QVERIFY2(ran.err.contains("--heap full"), ran.err);
    recording->write("\n");
    tests::waitForExit(*recording);
    QVERIFY(
        runner.genprof({QStringLiteral("report"), runner.session(), QStringLiteral("--what"), QStringLiteral("lost")})
            .out.contains("no scan for lost memory"));
}

QTEST_GUILESS_MAIN(LostMemoryIntegrationTest)
#include "lost_memory_integration_test.moc"
