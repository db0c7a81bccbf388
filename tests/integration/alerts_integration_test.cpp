// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QTest>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

/// Grows by 2 MiB each 50 ms for three seconds.
const QStringList kGrowing{QStringLiteral("/usr/bin/python3"), QStringLiteral("-c"),
    QStringLiteral(
        "import time\nkept = []\nfor i in range(60):\n    kept.append(bytearray(2 << 20))\n    time.sleep(0.05)")};

} // namespace

/// Alerts of a real recording: stored, told, acted upon.
class AlertsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void firesRunsItsCommandAndIsStored()
    {
        const GenprofRunner runner;
        QFile rules(runner.path(QStringLiteral("rules.toml")));
        QVERIFY(rules.open(QFile::WriteOnly));
        rules.write("defaults = false\n"
                    "[[alert]]\nname = \"heap\"\nsource = \"heap_live_bytes\"\nabove = \"30MiB\"\n"
                    "on_alert = 'echo \"$GENPROF_ALERT_RULE|$GENPROF_ALERT_SESSION\" >> \""
            + rules.fileName().toUtf8()
            + ".said\"'\n"
              "[[alert]]\nname = \"growth\"\ngrows = \"5%\"\nwithin = \"1s\"\n"
              "[[alert]]\nname = \"never\"\nabove = \"1TiB\"\n");
        rules.close();
        const Ran ran = runner.record(
            words("-q --tick 100 --cpu off --fail-on-alert --alerts") + QStringList{rules.fileName()}, kGrowing);
        QCOMPARE(ran.exitCode, 3);
        QVERIFY2(ran.err.contains("ALERT heap: live heap above 30 MiB"), ran.err.constData());
        QFile said(rules.fileName() + QStringLiteral(".said"));
        QVERIFY(said.open(QFile::ReadOnly));
        QCOMPARE(said.readAll(), "heap|" + runner.session().toUtf8() + '\n');
        const QJsonArray alerts = runner.report(QStringLiteral("alerts"))[QStringLiteral("alerts")].toArray();
        QCOMPARE(alerts.size(), 2);
        for (const QJsonValue alert : alerts) {
            const double tickNs = 1e8;
            QVERIFY(alert[QStringLiteral("value")].toDouble() > alert[QStringLiteral("threshold")].toDouble());
            QVERIFY(alert[QStringLiteral("worst")].toDouble() >= alert[QStringLiteral("value")].toDouble());
            QVERIFY(
                alert[QStringLiteral("fired_ns")].toDouble() - alert[QStringLiteral("began_ns")].toDouble() < tickNs);
        }
    }

    /// Who was woken is told when it is over.
    void saysWhenAnAlertIsOver()
    {
        const GenprofRunner runner;
        QFile rules(runner.path(QStringLiteral("rules.toml")));
        QVERIFY(rules.open(QFile::WriteOnly));
        const QByteArray say = "'echo \"$GENPROF_ALERT_RULE $GENPROF_ALERT_STATE $GENPROF_ALERT_SESSION\" >> \""
            + rules.fileName().toUtf8() + ".said\"'\n";
        rules.write("defaults = false\non_alert = " + say + "on_resolve = " + say
            + "[[alert]]\nname = \"heap\"\nsource = \"heap_live_bytes\"\nabove = \"30MiB\"\n");
        rules.close();
        const Ran ran = runner.record(words("-q --tick 100 --cpu off --alerts") + QStringList{rules.fileName()},
            {QStringLiteral("/usr/bin/python3"), QStringLiteral("-c"),
                QStringLiteral("import time; b = bytearray(60 << 20); time.sleep(0.6); del b; time.sleep(0.6)")});
        QCOMPARE(ran.exitCode, 0);
        QFile said(rules.fileName() + QStringLiteral(".said"));
        QVERIFY(said.open(QFile::ReadOnly));
        const QByteArray session = runner.session().toUtf8();
        QCOMPARE(said.readAll(), "heap firing " + session + "\nheap resolved " + session + '\n');
    }

    void aQuietProgramFiresNothing()
    {
        const GenprofRunner runner;
        const Ran ran = runner.record(words("-q --tick 100 --fail-on-alert"), words("sleep 1"));
        QCOMPARE(ran.exitCode, 0);
        QVERIFY(runner.report(QStringLiteral("alerts"))[QStringLiteral("alerts")].toArray().isEmpty());
    }

    void aWrongFileIsSaidBeforeTheCommandRuns()
    {
        const GenprofRunner runner;
        QFile rules(runner.path(QStringLiteral("rules.toml")));
        QVERIFY(rules.open(QFile::WriteOnly));
        rules.write("[[alert]]\nname = \"heap\"\nabove = \"30 miles\"\n");
        rules.close();
        const Ran ran = runner.record(QStringList{QStringLiteral("--alerts"), rules.fileName()},
            {QStringLiteral("touch"), runner.path(QStringLiteral("ran"))});
        QCOMPARE(ran.exitCode, 125);
        QVERIFY2(ran.err.contains("rules.toml:3: above is a number of bytes"), ran.err.constData());
        QVERIFY(!QFile::exists(runner.path(QStringLiteral("ran"))));
        QVERIFY(!QFile::exists(runner.session()));
    }
};

QTEST_GUILESS_MAIN(AlertsIntegrationTest)
#include "alerts_integration_test.moc"
