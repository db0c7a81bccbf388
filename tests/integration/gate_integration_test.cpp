// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTest>

using tests::GenprofRunner;
using tests::Ran;

/// Whole runs of the gate on tests/targets/inlining_work.cpp: build b makes one allocation more than a, in node41.
class GateIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneAllocationInAMillionIsNamed();
    void theSameProgramPasses();
    void pairsThatOnlyTimesNeedAreSpared();
    void slowerCodeIsFound();
    void baselinesAreSavedJudgedAndUpdated();
    void programsThatFailAreTold();
    void baselinesWithoutAHeapAreSavedWithAWarning();
    void valuesThatMustNotBeExceededNeedNoBase();
    void lostBlocksAreFoundAtTheEnd();
    void whatCannotBeMeasuredIsSkippedWhereThatIsWanted();
    void noisyProgramsAreJudgedByRanks();
    void badInputIsExplained_data();
    void badInputIsExplained();

private:
    static QString work(const QString &build)
    {
        return GenprofRunner::target(QStringLiteral("inlining_work_") + build);
    }

    static QJsonObject finding(const QString &file, const QString &key)
    {
        QFile json(file);
        if (json.open(QIODevice::ReadOnly))
            for (const QJsonValue &value :
                QJsonDocument::fromJson(json.readAll()).object()[QStringLiteral("findings")].toArray())
                if (value.toObject()[QStringLiteral("key")] == key)
                    return value.toObject();
        return {};
    }
};

void GateIntegrationTest::oneAllocationInAMillionIsNamed()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    const QString sarif = runner.path(QStringLiteral("gate.sarif"));
    const auto gate = [&](const QString &rounds, const QStringList &options) {
        return runner.genprof(
            QStringList{QStringLiteral("gate"), QStringLiteral("-q"), QStringLiteral("--runs"), QStringLiteral("0"),
                QStringLiteral("--against"), work(QStringLiteral("a1")) + u' ' + rounds, QStringLiteral("--json"), json,
                QStringLiteral("--sarif"), sarif}
            + options + QStringList{QStringLiteral("--"), work(QStringLiteral("b1")), rounds});
    };
    const Ran within = gate(QStringLiteral("300"), {});
    QVERIFY2(within.exitCode == 0, within.err + within.out);
    QVERIFY2(within.out.contains("(+1, ") && within.out.contains("node41"), within.out);
    const Ran beyond = gate(QStringLiteral("7500"), {QStringLiteral("--max"), QStringLiteral("counters=+0")});
    QVERIFY2(beyond.exitCode == 1, beyond.err + beyond.out);
    const QJsonObject allocations = finding(json, QStringLiteral("allocations"));
    QCOMPARE(allocations[QStringLiteral("outcome")].toString(), QStringLiteral("worse"));
    QCOMPARE(allocations[QStringLiteral("current")].toDouble() - allocations[QStringLiteral("base")].toDouble(), 1.0);
    QVERIFY(allocations[QStringLiteral("base")].toDouble() > 1e6);
    const QJsonArray stacks = allocations[QStringLiteral("stacks")].toArray();
    QCOMPARE(stacks.size(), 1);
    QVERIFY2(stacks[0].toObject()[QStringLiteral("stack")].toString().contains(QStringLiteral("node41")), beyond.out);
    QVERIFY(stacks[0].toObject()[QStringLiteral("file")].toString().endsWith(QStringLiteral("inlining_work.cpp")));
    QFile file(sarif);
    QVERIFY(file.open(QIODevice::ReadOnly) && file.readAll().contains("inlining_work.cpp"));
}

void GateIntegrationTest::theSameProgramPasses()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    // Times of a busy machine are another test's matter: the counts must pass, and the gate must not call anything worse.
    const Ran ran = runner.genprof(
        {QStringLiteral("gate"), QStringLiteral("--runs"), QStringLiteral("6"), QStringLiteral("--against"),
            work(QStringLiteral("a1")) + QStringLiteral(" 300"), QStringLiteral("--max"), QStringLiteral("times=+50%"),
            QStringLiteral("--json"), json, QStringLiteral("--"), work(QStringLiteral("a1")), QStringLiteral("300")});
    QVERIFY2(ran.exitCode == 0 || ran.exitCode == 2, ran.err + ran.out);
    for (const char *key : {"allocations", "allocated_bytes", "temporary", "peak_bytes", "left_bytes", "left_blocks"})
        QCOMPARE(finding(json, QLatin1String(key))[QStringLiteral("outcome")].toString(), QStringLiteral("passed"));
    QCOMPARE(finding(json, QStringLiteral("cpu_ns"))[QStringLiteral("runs")].toInt(), 6);
    QVERIFY2(!runner.genprof({QStringLiteral("list")}).out.contains("gate"), "recordings that are gone are listed");
}

void GateIntegrationTest::pairsThatOnlyTimesNeedAreSpared()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    const QStringList command{QStringLiteral("--against"), work(QStringLiteral("a1")) + QStringLiteral(" 30"),
        QStringLiteral("--json"), json, QStringLiteral("--max"), QStringLiteral("times=off"), QStringLiteral("--max"),
        QStringLiteral("instructions=off"), QStringLiteral("--max"), QStringLiteral("system_calls=off"),
        QStringLiteral("--"), work(QStringLiteral("a1")), QStringLiteral("30")};
    const Ran ran = runner.genprof(QStringList{QStringLiteral("gate")} + command);
    QCOMPARE(ran.exitCode, 0);
    QVERIFY2(ran.out.contains("no pairs of runs were made"), ran.out);
    QVERIFY2(!ran.err.contains("pairs of runs"), ran.err);
    QCOMPARE(finding(json, QStringLiteral("wall_ns"))[QStringLiteral("outcome")].toString(), QStringLiteral("absent"));
}

void GateIntegrationTest::slowerCodeIsFound()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    const Ran ran = runner.genprof({QStringLiteral("gate"), QStringLiteral("-q"), QStringLiteral("--runs"),
        QStringLiteral("6"), QStringLiteral("--against"), work(QStringLiteral("a1")) + QStringLiteral(" 1000"),
        QStringLiteral("--max"), QStringLiteral("counters=+500%"), QStringLiteral("--json"), json, QStringLiteral("--"),
        work(QStringLiteral("a1")), QStringLiteral("3000")});
    QVERIFY2(ran.exitCode == 1, ran.err + ran.out);
    const QJsonObject cpu = finding(json, QStringLiteral("cpu_ns"));
    QVERIFY2(cpu[QStringLiteral("outcome")].toString() == QStringLiteral("worse"), ran.out);
    const QJsonArray stacks = cpu[QStringLiteral("stacks")].toArray();
    if (stacks.isEmpty())
        QSKIP("CPU samples are not allowed here");
    const QString file = stacks[0].toObject()[QStringLiteral("file")].toString();
    QVERIFY2(file.endsWith(QStringLiteral("inlining_work.cpp")), ran.out);
}

void GateIntegrationTest::baselinesAreSavedJudgedAndUpdated()
{
    const GenprofRunner runner;
    const QString folder = runner.path(QStringLiteral("baselines"));
    const QStringList dir{QStringLiteral("--dir"), folder};
    const auto gate = [&](const QString &build, const QStringList &options) {
        return runner.genprof(QStringList{QStringLiteral("gate"), QStringLiteral("-q"), QStringLiteral("--baseline"),
                                  QStringLiteral("work"), QStringLiteral("--max"), QStringLiteral("counters=+0"),
                                  QStringLiteral("--max"), QStringLiteral("system_calls=+50%")}
            + dir + options + QStringList{QStringLiteral("--"), work(build), QStringLiteral("200")});
    };
    const Ran missing = gate(QStringLiteral("a1"), {});
    QCOMPARE(missing.exitCode, 125);
    QVERIFY2(missing.err.contains("genprof baseline save work"), missing.err);
    const Ran saved = runner.genprof(
        QStringList{QStringLiteral("baseline"), QStringLiteral("save"), QStringLiteral("work"),
            QStringLiteral("--runs"), QStringLiteral("6"), QStringLiteral("--branch"), QStringLiteral("main"),
            QStringLiteral("--commit"), QStringLiteral("c0ffee"), QStringLiteral("--reason"), QStringLiteral("first")}
        + dir + QStringList{QStringLiteral("--"), work(QStringLiteral("a1")), QStringLiteral("200")});
    QVERIFY2(saved.exitCode == 0, saved.err);
    QVERIFY2(QRegularExpression(QStringLiteral("[0-9]+ quantities, (1 stack|[0-9]+ stacks)\n"))
                 .match(QString::fromUtf8(saved.out))
                 .hasMatch(),
        saved.out);
    const Ran same = gate(QStringLiteral("a1"), {});
    QVERIFY2(same.exitCode == 0, same.err + same.out);
    const Ran worse = gate(QStringLiteral("b1"), {});
    QVERIFY2(worse.exitCode == 1, worse.err + worse.out);
    QVERIFY2(worse.out.contains("node41"), worse.out);
    const Ran updated = gate(
        QStringLiteral("b1"), {QStringLiteral("--update"), QStringLiteral("--reason"), QStringLiteral("needed for x")});
    QVERIFY2(updated.exitCode == 0, updated.err + updated.out);
    QCOMPARE(gate(QStringLiteral("b1"), {}).exitCode, 0);
    const Ran shown
        = runner.genprof(QStringList{QStringLiteral("baseline"), QStringLiteral("show"), QStringLiteral("work")} + dir);
    QVERIFY2(shown.out.contains("needed for x") && shown.out.contains("History: 2 saves"), shown.out);
    QVERIFY(runner.genprof(QStringList{QStringLiteral("baseline"), QStringLiteral("list")} + dir).out.contains("work"));
    QCOMPARE(
        runner.genprof(QStringList{QStringLiteral("baseline"), QStringLiteral("remove"), QStringLiteral("work")} + dir)
            .exitCode,
        0);
    QVERIFY(QDir(folder).isEmpty());
}

void GateIntegrationTest::programsThatFailAreTold()
{
    const GenprofRunner runner;
    const auto gate = [&](const QString &against, const QStringList &command) {
        return runner.genprof(QStringList{QStringLiteral("gate"), QStringLiteral("-q"), QStringLiteral("--runs"),
                                  QStringLiteral("6"), QStringLiteral("--against"), against, QStringLiteral("--")}
            + command);
    };
    const Ran fails = gate(QStringLiteral("true"),
        {QStringLiteral("sh"), QStringLiteral("-c"), QStringLiteral("echo broken >&2; exit 7")});
    QVERIFY2(fails.exitCode == 3, fails.err + fails.out);
    QVERIFY2(fails.out.contains("status 7") && fails.out.contains("broken"), fails.out);
    const Ran missing = gate(QStringLiteral("/no/such/program"), {QStringLiteral("true")});
    QVERIFY2(missing.exitCode == 3, missing.err + missing.out);
    QVERIFY2(missing.out.contains("base: "), missing.out);
}

void GateIntegrationTest::baselinesWithoutAHeapAreSavedWithAWarning()
{
    const GenprofRunner runner;
    const auto save = [&](const QStringList &command) {
        return runner.genprof(
            QStringList{QStringLiteral("baseline"), QStringLiteral("save"), QStringLiteral("it"), QStringLiteral("-q"),
                QStringLiteral("--runs"), QStringLiteral("6"), QStringLiteral("--dir"),
                runner.path(QStringLiteral("baselines")), QStringLiteral("--")}
            + command);
    };
    const Ran untraced = save({GenprofRunner::target(QStringLiteral("static_program"))});
    QCOMPARE(untraced.exitCode, 0);
    QVERIFY2(untraced.err.contains("Warning: the baseline lacks figures of the heap")
            && untraced.err.contains("The heap of static_program was not"),
        untraced.err);
    const Ran traced = save({work(QStringLiteral("a1")), QStringLiteral("30")});
    QCOMPARE(traced.exitCode, 0);
    QVERIFY2(traced.err.isEmpty(), traced.err);
}

void GateIntegrationTest::valuesThatMustNotBeExceededNeedNoBase()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    const auto gate = [&](const QString &limit) {
        return runner.genprof({QStringLiteral("gate"), QStringLiteral("--max"), limit, QStringLiteral("--json"), json,
            QStringLiteral("--"), work(QStringLiteral("a1")), QStringLiteral("30")});
    };
    const Ran within = gate(QStringLiteral("peak_bytes=64MiB"));
    QVERIFY2(within.exitCode == 0, within.err + within.out);
    const Ran alone = runner.run(work(QStringLiteral("a1")), {QStringLiteral("30")});
    QVERIFY2(within.out.startsWith(alone.out), within.out); // it writes where it always does, and ran once
    const qint64 peak = finding(json, QStringLiteral("peak_bytes"))[QStringLiteral("current")].toInteger();
    QCOMPARE(gate(QStringLiteral("peak_bytes=%1").arg(peak)).exitCode, 0);
    const Ran beyond = gate(QStringLiteral("peak_bytes=%1").arg(peak - 1));
    QVERIFY2(beyond.exitCode == 1, beyond.err + beyond.out);
    const QJsonObject found = finding(json, QStringLiteral("peak_bytes"));
    QCOMPARE(found[QStringLiteral("outcome")].toString(), QStringLiteral("worse"));
    QCOMPARE(found[QStringLiteral("limit")].toObject()[QStringLiteral("most")].toInteger(), peak - 1);
    QVERIFY(found[QStringLiteral("base")].isNull());
    QVERIFY2(!found[QStringLiteral("stacks")].toArray().isEmpty() && beyond.out.contains("more than the limit of")
            && beyond.out.contains("inlining_work.cpp:"),
        beyond.out);
    const Ran calls = gate(QStringLiteral("system_calls=3"));
    if (finding(json, QStringLiteral("system_calls"))[QStringLiteral("outcome")] != QStringLiteral("absent"))
        QVERIFY2(calls.exitCode == 1 && calls.out.contains("more than the limit of 3"), calls.out);
}

void GateIntegrationTest::lostBlocksAreFoundAtTheEnd()
{
    const GenprofRunner runner;
    const QString script = runner.path(QStringLiteral("lose.py"));
    const auto gate = [&](const QByteArray &text) {
        QFile file(script);
        if (file.open(QIODevice::WriteOnly | QIODevice::Truncate))
            file.write("import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n" + text);
        file.close();
        return runner.genprof({QStringLiteral("gate"), QStringLiteral("--no-leaks"), QStringLiteral("--"),
            QStringLiteral("/usr/bin/python3"), script});
    };
    const Ran tidy = gate("libc.free(ctypes.c_void_p(libc.malloc(12345)))\n");
    if (tidy.exitCode == 3)
        QSKIP("/usr/bin/python3 does not run here");
    if (tidy.exitCode == 2)
        QSKIP(tidy.out);
    QVERIFY2(tidy.exitCode == 0 && tidy.out.contains("Lost blocks: 0"), tidy.err + tidy.out);
    // A stale word on the stack or in a free block may still lead to one or another of them.
    const Ran untidy = gate("for i in range(20): libc.malloc(12345)\n");
    const QRegularExpressionMatch lost
        = QRegularExpression(QStringLiteral("Lost blocks: (\\d+), (\\d+) more than the limit of 0"))
              .match(QString::fromUtf8(untidy.out));
    QVERIFY2(untidy.exitCode == 1 && lost.hasMatch() && untidy.out.contains("ffi_call"), untidy.err + untidy.out);
    QCOMPARE(lost.captured(1), lost.captured(2));
    QVERIFY2(lost.captured(1).toInt() >= 17 && lost.captured(1).toInt() <= 20, untidy.out);
}

void GateIntegrationTest::whatCannotBeMeasuredIsSkippedWhereThatIsWanted()
{
    const GenprofRunner runner;
    const auto gate = [&](const QStringList &options) {
        return runner.genprof(QStringList{QStringLiteral("gate")} + options
            + QStringList{QStringLiteral("--"), GenprofRunner::target(QStringLiteral("static_program"))});
    };
    const QStringList limit{QStringLiteral("--max"), QStringLiteral("allocations=10")};
    const QStringList skip{QStringLiteral("--skip-status"), QStringLiteral("77")};
    const Ran unclear = gate(limit);
    QVERIFY2(
        unclear.exitCode == 2 && unclear.out.contains("The limit of 10 cannot be checked"), unclear.err + unclear.out);
    QCOMPARE(gate(limit + skip).exitCode, 77);
    const QStringList same{QStringLiteral("--runs"), QStringLiteral("0"), QStringLiteral("--against"),
        GenprofRunner::target(QStringLiteral("static_program"))};
    const Ran compared = gate(same);
    QVERIFY2(compared.exitCode == 2 && !compared.out.contains("passed"), compared.err + compared.out);
    QCOMPARE(gate(same + skip).exitCode, 77);
    QCOMPARE(gate(QStringList{QStringLiteral("--no-base")} + skip).exitCode, 77);
    const Ran judged = runner.genprof(
        {QStringLiteral("gate"), QStringLiteral("--no-base"), QStringLiteral("--"), QStringLiteral("/bin/true")});
    QVERIFY2(judged.exitCode == 0 && judged.out.contains("Nothing was judged"), judged.out + judged.err);
    const Ran limited = runner.genprof({QStringLiteral("gate"), QStringLiteral("--max"),
        QStringLiteral("peak_bytes=1GiB"), QStringLiteral("--"), QStringLiteral("/bin/true")});
    QVERIFY2(limited.exitCode == 0 && !limited.out.contains("Nothing was judged"), limited.out + limited.err);
}

void GateIntegrationTest::noisyProgramsAreJudgedByRanks()
{
    const GenprofRunner runner;
    const QString json = runner.path(QStringLiteral("gate.json"));
    // Allocates as much as chance says: its counts differ between runs.
    const QString script = QStringLiteral("import os; x = [bytes(2000) for i in range(os.urandom(1)[0])]");
    const Ran ran = runner.genprof({QStringLiteral("gate"), QStringLiteral("-q"), QStringLiteral("--runs"),
        QStringLiteral("0"), QStringLiteral("--against"), QStringLiteral("python3 -c '%1'").arg(script),
        QStringLiteral("--json"), json, QStringLiteral("--"), QStringLiteral("python3"), QStringLiteral("-c"), script});
    if (ran.exitCode == 3)
        QSKIP("python3 does not run here");
    const QJsonObject allocations = finding(json, QStringLiteral("allocations"));
    QVERIFY2(allocations[QStringLiteral("is_noisy")].toBool(), ran.out);
    QCOMPARE(allocations[QStringLiteral("runs")].toInt(), 6);
    QVERIFY2(ran.exitCode <= 2, ran.err);
}

void GateIntegrationTest::badInputIsExplained_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("words");
    const auto list = [](const char *text) { return QString::fromUtf8(text).split(u' '); };
    QTest::newRow("no command") << list("--against x") << QByteArray("two dashes");
    QTest::newRow("both bases") << list("--against x --baseline y -- z") << QByteArray("exclude each other");
    QTest::newRow("no reason") << list("--update -- z") << QByteArray("--reason");
    QTest::newRow("no limit") << list("--max memory=+5% -- z") << QByteArray("allocations, allocated_bytes");
    QTest::newRow("value of many") << list("--max counters=100 -- z") << QByteArray("of one quantity");
    QTest::newRow("growth of nothing") << list("--max peak_bytes=1 --max counters=+5% -- z")
                                       << QByteArray("nothing says since what");
    QTest::newRow("kind of nothing") << list("--kind unit -- z") << QByteArray("--thresholds FILE");
    QTest::newRow("no file") << list("--thresholds /no/such -- z")
                             << QByteArray("Cannot read the thresholds in /no/such");
    QTest::newRow("base and none") << list("--no-base --baseline y -- z") << QByteArray("goes with none of");
    QTest::newRow("no words") << list("--against $(ls) -- z") << QByteArray("split into words");
    QTest::newRow("no option") << list("--agianst x -- z") << QByteArray("--agianst");
}

void GateIntegrationTest::badInputIsExplained()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, words);
    const GenprofRunner runner;
    const Ran ran = runner.genprof(QStringList{QStringLiteral("gate")} + arguments);
    QCOMPARE(ran.exitCode, 125);
    QVERIFY2(ran.err.contains(words), ran.err);
}

QTEST_GUILESS_MAIN(GateIntegrationTest)
#include "gate_integration_test.moc"
