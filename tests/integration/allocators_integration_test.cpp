// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QTest>

using tests::GenprofRunner;
using tests::Ran;

/// Programs that are linked with another allocator: each of its ways in is counted, and none twice.
class AllocatorsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyWayInIsCountedOnce_data();
    void everyWayInIsCountedOnce();
    void operatorsAreSeenAfterALibraryThatBindsDeep_data();
    void operatorsAreSeenAfterALibraryThatBindsDeep();
    void allocatorsInsideTheProgramAreNamed();
};

void AllocatorsIntegrationTest::everyWayInIsCountedOnce_data()
{
    QTest::addColumn<QString>("program");
    for (const char *name : {"allocator_none", "allocator_jemalloc", "allocator_tcmalloc", "allocator_mimalloc"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

void AllocatorsIntegrationTest::everyWayInIsCountedOnce()
{
    QFETCH(QString, program);
    if (!QFileInfo::exists(GenprofRunner::target(program)))
        QSKIP("that allocator was not there when the tests were built");
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q")}, {GenprofRunner::target(program)});
    QCOMPARE(ran.exitCode, 0);
    qint64 allocations = 0, frees = 0, live = 0;
    for (const QJsonValue stack : runner.report(QStringLiteral("heap"))[QStringLiteral("stacks")].toArray()) {
        bool isBelow = false;
        for (const QJsonValue frame : stack[QStringLiteral("frames")].toArray())
            isBelow = isBelow || frame[QStringLiteral("function")].toString().contains(QStringLiteral("workload()"));
        // What throwing takes is none of the program's: __cxa_allocate_exception.
        for (const QJsonValue frame : stack[QStringLiteral("frames")].toArray())
            isBelow = isBelow && !frame[QStringLiteral("function")].toString().startsWith(QStringLiteral("__cxa"));
        if (!isBelow)
            continue;
        allocations += stack[QStringLiteral("allocations")].toInteger();
        frees += stack[QStringLiteral("frees")].toInteger();
        live += stack[QStringLiteral("live_bytes")].toInteger();
    }
    QCOMPARE(allocations, tests::figure(ran.out, "allocations"));
    QCOMPARE(frees, tests::figure(ran.out, "frees"));
    QCOMPARE(live, tests::figure(ran.out, "live_bytes"));
    const QJsonObject losses = runner.report(QStringLiteral("losses"))[QStringLiteral("losses")].toObject();
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("unknown_frees")].toInteger(-1), 0);
}

void AllocatorsIntegrationTest::operatorsAreSeenAfterALibraryThatBindsDeep_data()
{
    QTest::addColumn<QString>("program");
    for (const char *name : {"late_operators_jemalloc", "late_operators_tcmalloc", "late_operators_mimalloc"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

void AllocatorsIntegrationTest::operatorsAreSeenAfterALibraryThatBindsDeep()
{
    QFETCH(QString, program);
    if (!QFileInfo::exists(GenprofRunner::target(program)))
        QSKIP("that allocator was not there when the tests were built");
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q")}, {GenprofRunner::target(program)});
    QCOMPARE(ran.exitCode, 0);
    const auto counts
        = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("liboperators_module.so"));
    QCOMPARE(counts.allocations, 1000);
    QCOMPARE(counts.frees, 1000);
}

void AllocatorsIntegrationTest::allocatorsInsideTheProgramAreNamed()
{
    const QString program = GenprofRunner::target(QStringLiteral("allocator_static"));
    if (!QFileInfo::exists(program))
        QSKIP("no static jemalloc was there when the tests were built");
    const GenprofRunner runner;
    const Ran ran = runner.record({}, {program});
    QCOMPARE(ran.exitCode, 0);
    QVERIFY2(ran.err.contains("jemalloc"), ran.err.constData());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    const QString note
        = summary[QStringLiteral("processes")][0][QStringLiteral("images")][0][QStringLiteral("heap_note")].toString();
    QVERIFY2(note.contains(QStringLiteral("jemalloc")), qPrintable(note));
}

QTEST_GUILESS_MAIN(AllocatorsIntegrationTest)
#include "allocators_integration_test.moc"
