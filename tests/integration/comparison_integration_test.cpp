// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include <algorithm>

using tests::GenprofRunner;
using tests::Ran;

/// Two builds of one source (tests/targets/inlining_work.cpp), 40 % of its functions inlined in one of them only.
class ComparisonIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void unchangedCostIsMatchedAcrossBuilds_data();
    void unchangedCostIsMatchedAcrossBuilds();
    void twoWindowsOfOneSessionCompare();
    void badInputIsExplained_data();
    void badInputIsExplained();
};

void ComparisonIntegrationTest::unchangedCostIsMatchedAcrossBuilds_data()
{
    QTest::addColumn<QString>("debug");
    QTest::addColumn<QString>("leaf"); // the function that allocates once more in b; without debug information a caller
    QTest::newRow("with debug information") << QStringLiteral("1") << QStringLiteral("node41");
    QTest::newRow("without") << QStringLiteral("0") << QString();
}

void ComparisonIntegrationTest::unchangedCostIsMatchedAcrossBuilds()
{
    QFETCH(QString, debug);
    QFETCH(QString, leaf);
    const GenprofRunner runner;
    QStringList files;
    for (const QString &build : {QStringLiteral("a"), QStringLiteral("b")}) {
        files << runner.path(build + QStringLiteral(".gprof-session"));
        const Ran ran = runner.genprof({QStringLiteral("record"), QStringLiteral("-q"), QStringLiteral("--cpu"),
            QStringLiteral("off"), QStringLiteral("-o"), files.last(), QStringLiteral("--"),
            GenprofRunner::target(QStringLiteral("inlining_work_") + build + debug), QStringLiteral("8000")});
        QCOMPARE(ran.exitCode, 0);
    }
    const Ran compared = runner.genprof(QStringList{QStringLiteral("compare")} + files
        + QStringList{QStringLiteral("--what"), QStringLiteral("allocations"), QStringLiteral("--format"),
            QStringLiteral("json")});
    QVERIFY2(compared.exitCode == 0, compared.err);
    const QJsonObject cost
        = QJsonDocument::fromJson(compared.out).object()[QStringLiteral("costs")].toArray().at(0).toObject();
    QCOMPARE(cost[QStringLiteral("total")].toObject()[QStringLiteral("change")].toDouble(), 1.0);
    // What did not change is what both have of each group: the lesser of the two.
    double matched = 0;
    double all = 0;
    QString grown;
    for (const QJsonValue &value : cost[QStringLiteral("stacks")].toArray()) {
        const QJsonObject row = value.toObject();
        const double a = row[QStringLiteral("a")].toDouble();
        const double b = row[QStringLiteral("b")].toDouble();
        all += a;
        matched += std::min(a, b);
        if (b == a + 1)
            grown = row[QStringLiteral("stack")].toString();
    }
    QVERIFY2(matched >= 0.95 * all, qPrintable(QString::number(matched / all)));
    if (!leaf.isEmpty())
        QVERIFY2(grown.contains(leaf), qPrintable(grown));
}

void ComparisonIntegrationTest::twoWindowsOfOneSessionCompare()
{
    const GenprofRunner runner;
    QCOMPARE(
        runner
            .record({QStringLiteral("-q"), QStringLiteral("--tick"), QStringLiteral("100")},
                {QStringLiteral("sh"), QStringLiteral("-c"), QStringLiteral("sleep 0.5; ls / > /dev/null; sleep 0.3")})
            .exitCode,
        0);
    const Ran ran = runner.genprof({QStringLiteral("compare"), runner.session(), QStringLiteral("--from"),
        QStringLiteral("0s"), QStringLiteral("--to"), QStringLiteral("300ms"), QStringLiteral("--from"),
        QStringLiteral("300ms"), QStringLiteral("--to"), QStringLiteral("1m"), QStringLiteral("--per"),
        QStringLiteral("second"), QStringLiteral("--format"), QStringLiteral("csv")});
    QVERIFY2(ran.exitCode == 0, ran.err);
    QVERIFY2(ran.out.contains("allocations,total,"), ran.out);
    // A time within a tick: the tick is of one window, whichever of them comes first.
    const QStringList early{
        QStringLiteral("--from"), QStringLiteral("0s"), QStringLiteral("--to"), QStringLiteral("350ms")};
    const QStringList late{
        QStringLiteral("--from"), QStringLiteral("350ms"), QStringLiteral("--to"), QStringLiteral("1m")};
    for (const bool isSwapped : {false, true}) {
        const Ran both = runner.genprof(QStringList{QStringLiteral("compare"), runner.session()}
            + (isSwapped ? late + early : early + late)
            + QStringList{QStringLiteral("--format"), QStringLiteral("json")});
        const QJsonObject object = QJsonDocument::fromJson(both.out).object();
        const QJsonObject first = object[isSwapped ? QStringLiteral("b") : QStringLiteral("a")].toObject();
        const QJsonObject second = object[isSwapped ? QStringLiteral("a") : QStringLiteral("b")].toObject();
        QVERIFY2(first[QStringLiteral("end_ns")].toDouble() >= 350e6, both.out + both.err);
        QCOMPARE(second[QStringLiteral("begin_ns")].toDouble(), first[QStringLiteral("end_ns")].toDouble());
    }
    const Ran none = runner.genprof({QStringLiteral("compare"), runner.session(), QStringLiteral("--from"),
        QStringLiteral("0s"), QStringLiteral("--to"), QStringLiteral("10ms"), QStringLiteral("--from"),
        QStringLiteral("10ms"), QStringLiteral("--to"), QStringLiteral("20ms")});
    QVERIFY2(none.exitCode != 0 && none.err.contains("Both windows lie in one step"), none.err);
}

void ComparisonIntegrationTest::badInputIsExplained_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("one window") << QStringList{QStringLiteral("x")} << QByteArray("two windows");
    QTest::newRow("no such cost") << QStringList{QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("--what"),
        QStringLiteral("z")} << QByteArray("possible are heap, mappings, pools, cpu");
    QTest::newRow("no name") << QStringList{QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("--per"),
        QStringLiteral("mark")}
                             << QByteArray("mark NAME");
    QTest::newRow("backwards") << QStringList{QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("--from"),
        QStringLiteral("9s"), QStringLiteral("--to"), QStringLiteral("3s")}
                               << QByteArray("--to must lie after --from");
    QTest::newRow("no file") << QStringList{QStringLiteral("/nowhere"), QStringLiteral("y")} << QByteArray("/nowhere");
}

void ComparisonIntegrationTest::badInputIsExplained()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, words);
    const GenprofRunner runner;
    const Ran ran = runner.genprof(QStringList{QStringLiteral("compare")} + arguments);
    QVERIFY(ran.exitCode == 1 || ran.exitCode == 2);
    QVERIFY2(ran.err.contains(words), ran.err);
}

QTEST_GUILESS_MAIN(ComparisonIntegrationTest)
#include "comparison_integration_test.moc"
