// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonObject>
#include <QTest>

#include <signal.h>

#include <random>
#include <thread>

using tests::GenprofRunner;

/// A recorder that is killed leaves a session that opens and lacks at most the tick it was writing; what it records runs on.
/// GENESIS_TEST_KILLS says how often (3 if not set; the full test is 1000).
class KillsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void losesAtMostATickToAKill()
    {
        const int rounds
            = qEnvironmentVariableIsSet("GENESIS_TEST_KILLS") ? qEnvironmentVariableIntValue("GENESIS_TEST_KILLS") : 3;
        std::mt19937 random(17);
        for (int round = 0; round < rounds; ++round) {
            const GenprofRunner runner;
            // Processes that come and go; it ends by itself.
            const QString done = runner.path(QStringLiteral("done"));
            const QString script = QStringLiteral(
                "i=0; while [ $i -lt 200 ]; do ls /proc >/dev/null; i=$((i+1)); done; echo whole >'%1'")
                                       .arg(done);
            auto recorder = runner.startRecording({QStringLiteral("--tick"), QStringLiteral("100")},
                {QStringLiteral("sh"), QStringLiteral("-c"), script});
            QVERIFY(recorder);
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 900));
            const QJsonObject status = runner.status();
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 100'000));
            ::kill(static_cast<pid_t>(recorder->processId()), SIGKILL);
            recorder->waitForFinished();
            // Before sqlite3, which folds the log in.
            const QJsonObject report = runner.report(QStringLiteral("summary"));
            QVERIFY(!report.isEmpty());
            QCOMPARE(report[QStringLiteral("damage")].toString(), QString());
            const tests::Ran check = runner.run(QStringLiteral("sqlite3"),
                {runner.session(),
                    QStringLiteral("PRAGMA integrity_check; SELECT count(*) FROM tick WHERE level = 0")});
            if (check.exitCode == -1)
                QSKIP("sqlite3 is not installed");
            const QList<QByteArray> lines = check.out.split('\n');
            QCOMPARE(lines.value(0), QByteArray("ok"));
            // The status counts a tick when it is closed; that one may not have been written.
            QVERIFY2(lines.value(1).toInt() >= status[QStringLiteral("ticks")].toInt() - 1, check.out.constData());
            QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(done), 60'000);
        }
    }
};

QTEST_GUILESS_MAIN(KillsIntegrationTest)
#include "kills_integration_test.moc"
