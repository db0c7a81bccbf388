// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QMap>
#include <QTest>

using tests::GenprofRunner;
using tests::HeapCounts;
using tests::Ran;

/// Children of every kind, followed and ignored; tests/targets/child_processes says what each process did.
class ChildrenIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void eachFollowedChildIsAProcessOfItsOwn_data();
    void eachFollowedChildIsAProcessOfItsOwn();
    void ignoredChildrenLeaveTheProgramAlone_data();
    void ignoredChildrenLeaveTheProgramAlone();
    void programsInAnotherNetworkAreSeen_data();
    void programsInAnotherNetworkAreSeen();

private:
    struct Truth
    {
        qint64 allocations = 0;
        qint64 frees = 0;
    };
    static QMap<qint64, Truth> truthOf(const QByteArray &printed);
    static void compare(const GenprofRunner &runner, qint64 pid, const Truth &truth);
    static void addWays();
    static Ran record(const GenprofRunner &runner, const QString &children, const QString &way);
};

QMap<qint64, ChildrenIntegrationTest::Truth> ChildrenIntegrationTest::truthOf(const QByteArray &printed)
{
    QMap<qint64, Truth> truth;
    for (const QByteArray &line : printed.split('\n')) {
        const QList<QByteArray> words = line.split(' ');
        if (words.size() != 4 || words[0] != "truth")
            continue;
        Truth &process = truth[words[1].toLongLong()]; // an exec chain says it once an image
        process.allocations += words[2].toLongLong();
        process.frees += words[3].toLongLong();
    }
    return truth;
}

void ChildrenIntegrationTest::compare(const GenprofRunner &runner, qint64 pid, const Truth &truth)
{
    const QJsonObject heap = runner.report(QStringLiteral("heap"), {QStringLiteral("--process"), QString::number(pid)});
    const HeapCounts counts = tests::countsOfModule(heap, QStringLiteral("child_processes"));
    QCOMPARE(counts.allocations, truth.allocations);
    QCOMPARE(counts.frees, truth.frees);
}

void ChildrenIntegrationTest::addWays()
{
    QTest::addColumn<QString>("way");
    QTest::addColumn<int>("processes");
    QTest::newRow("fork") << QStringLiteral("fork") << 2;
    QTest::newRow("fork by another user") << QStringLiteral("other-user") << 2;
    QTest::newRow("fork among threads") << QStringLiteral("threads") << 21;
    QTest::newRow("vfork") << QStringLiteral("vfork") << 1;
    QTest::newRow("vfork before a thread's first event") << QStringLiteral("vfork-first") << 1;
    QTest::newRow("vfork before a forked child's first event") << QStringLiteral("fork-vfork") << 3;
    QTest::newRow("clone(CLONE_VM)") << QStringLiteral("clone") << 1;
    QTest::newRow("posix_spawn") << QStringLiteral("spawn") << 2;
    QTest::newRow("exec chain") << QStringLiteral("exec") << 2;
    QTest::newRow("daemon") << QStringLiteral("daemon") << 2;
}

Ran ChildrenIntegrationTest::record(const GenprofRunner &runner, const QString &children, const QString &way)
{
    return runner.record({QStringLiteral("-q"), QStringLiteral("--children"), children},
        {GenprofRunner::target(QStringLiteral("child_processes")), way});
}

void ChildrenIntegrationTest::eachFollowedChildIsAProcessOfItsOwn_data() { addWays(); }

void ChildrenIntegrationTest::eachFollowedChildIsAProcessOfItsOwn()
{
    QFETCH(QString, way);
    QFETCH(int, processes);
    const GenprofRunner runner;
    const Ran ran = record(runner, QStringLiteral("follow"), way);
    QCOMPARE(ran.exitCode, 0);
    const QMap<qint64, Truth> truth = truthOf(ran.out);
    QCOMPARE(truth.size(), processes);
    for (auto it = truth.begin(); it != truth.end(); ++it)
        compare(runner, it.key(), it.value());
    const QJsonObject losses = runner.report(QStringLiteral("losses"))[QStringLiteral("losses")].toObject();
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("unknown_frees")].toInteger(-1), 0); // of blocks of the process that forked: no loss
    const QByteArray text = runner.genprof({QStringLiteral("report"), runner.session()}).out;
    QCOMPARE(text.contains("of the parent, by its forked children"),
        way == QStringLiteral("fork") || way == QStringLiteral("other-user"));
    QVERIFY(!text.contains("before tracing began"));
}

void ChildrenIntegrationTest::ignoredChildrenLeaveTheProgramAlone_data() { addWays(); }

void ChildrenIntegrationTest::ignoredChildrenLeaveTheProgramAlone()
{
    QFETCH(QString, way);
    const GenprofRunner runner;
    const Ran ran = record(runner, QStringLiteral("ignore"), way);
    QCOMPARE(ran.exitCode, 0);
    const QMap<qint64, Truth> truth = truthOf(ran.out);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("processes")].toArray().size(), 1);
    const qint64 pid = summary[QStringLiteral("pid")].toInteger();
    QVERIFY(truth.contains(pid));
    compare(runner, pid, truth[pid]);
    QCOMPARE(tests::countImages(summary, QStringLiteral("child_processes")), way == QStringLiteral("exec") ? 4 : 1);
}

void ChildrenIntegrationTest::programsInAnotherNetworkAreSeen_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("exec") << QStringLiteral("exec unshare -n \"$0\" 1 1000");
    QTest::newRow("fork") << QStringLiteral("unshare -n sh -c '\"$0\" 1 1000; true' \"$0\"");
}

void ChildrenIntegrationTest::programsInAnotherNetworkAreSeen()
{
    QFETCH(QString, command);
    const GenprofRunner runner;
    if (runner.run(QStringLiteral("unshare"), {QStringLiteral("-n"), QStringLiteral("true")}).exitCode != 0)
        QSKIP("this user may make no network namespace");
    const Ran ran = runner.record({QStringLiteral("-q")},
        {QStringLiteral("sh"), QStringLiteral("-c"), command, GenprofRunner::target(QStringLiteral("heap_truth"))});
    QCOMPARE(ran.exitCode, 0);
    const HeapCounts counts
        = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("heap_truth"));
    QCOMPARE(counts.allocations, tests::figure(ran.out, "allocations"));
    QCOMPARE(counts.frees, tests::figure(ran.out, "frees"));
}

QTEST_GUILESS_MAIN(ChildrenIntegrationTest)
#include "children_integration_test.moc"
