// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"
#include "tests/integration/terminal_run.h"

#include <QFile>
#include <QTest>

#include <sys/wait.h>

#include <csignal>

using tests::GenprofRunner;
using tests::Ran;
using tests::TerminalRun;

namespace {

constexpr const char *kPassphrase = "correct horse battery";

} // namespace

/// Passphrases that are asked for at a terminal.
class PassphraseIntegrationTest : public QObject
{
    Q_OBJECT

private:
    const GenprofRunner m_runner;

    QStringList report() const
    {
        return {GenprofRunner::program(), QStringLiteral("report"), m_runner.session(), QStringLiteral("--format"),
            QStringLiteral("json")};
    }
    QStringList recordTo(const QString &file) const
    {
        return {GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("--seal"), QStringLiteral("-q"),
            QStringLiteral("--heap"), QStringLiteral("off"), QStringLiteral("--cpu"), QStringLiteral("off"),
            QStringLiteral("-o"), file, QStringLiteral("--"), QStringLiteral("echo"), QStringLiteral("zebra")};
    }

private Q_SLOTS:
    void areTypedUnseen()
    {
        TerminalRun record(recordTo(m_runner.session()), m_runner.path({}));
        QVERIFY(record.readUntil("Passphrase to seal with: ") && !record.echoes());
        record.type(QByteArray(kPassphrase) + '\n');
        QVERIFY2(record.readUntil("The same once more: "), record.output.constData());
        record.type(QByteArray(kPassphrase) + '\n');
        QCOMPARE(record.finish(), 0);
        QVERIFY2(record.output.contains("zebra") && !record.output.contains("horse"), record.output.constData());
        TerminalRun again(report(), m_runner.path({}));
        QVERIFY(again.readUntil("Passphrase of "));
        again.type("wrong\n");
        QVERIFY2(again.readUntil("Wrong passphrase. "), again.output.constData());
        again.type(QByteArray(kPassphrase) + '\n');
        QCOMPARE(again.finish(), 0);
        QVERIFY2(again.output.contains("zebra") && !again.output.contains("horse"), again.output.constData());
    }

    void isAskedForOnceForBothSidesOfAComparison()
    {
        TerminalRun run({GenprofRunner::program(), QStringLiteral("compare"), m_runner.session(), m_runner.session()},
            m_runner.path({}));
        QVERIFY(run.readUntil("Passphrase of "));
        run.type(QByteArray(kPassphrase) + '\n');
        run.finish();
        QVERIFY2(run.output.contains("Neither session has any of these costs"), run.output.constData()); // it read both
        QCOMPARE(run.output.count("Passphrase of "), 1);
    }

    void canBeRefused_data()
    {
        QTest::addColumn<bool>("isRecorded");
        QTest::addColumn<int>("key");
        QTest::addColumn<int>("signal");
        QTest::newRow("Ctrl-C, report") << false << 3 << SIGINT;
        QTest::newRow("Ctrl-C, record") << true << 3 << SIGINT;
        QTest::newRow("Ctrl-backslash, report") << false << 28 << SIGQUIT;
        QTest::newRow("Ctrl-backslash, record") << true << 28 << SIGQUIT;
        QTest::newRow("kill, report") << false << 0 << SIGTERM;
        QTest::newRow("kill, record") << true << 0 << SIGTERM;
    }
    /// It ends at once, as a program does that the signal is for, and the terminal shows again what is typed.
    void canBeRefused()
    {
        QFETCH(bool, isRecorded);
        QFETCH(int, key);
        QFETCH(int, signal);
        const QString file = m_runner.path(QStringLiteral("refused"));
        TerminalRun run(isRecorded ? recordTo(file) : report(), m_runner.path({}));
        QVERIFY(run.readUntil("Passphrase ") && !run.echoes());
        if (key != 0)
            run.press(static_cast<char>(key));
        else
            QCOMPARE(::kill(run.pid(), signal), 0);
        // Before its end: a terminal that nobody has open says nothing.
        QTRY_VERIFY_WITH_TIMEOUT(run.echoes(), 10'000);
        const int status = run.finish();
        QVERIFY2(WIFSIGNALED(status) && WTERMSIG(status) == signal, std::to_string(status).c_str());
        QVERIFY(!QFile::exists(file));
    }

    void saysWhenALineIsTooLong()
    {
        TerminalRun run(report(), m_runner.path({}));
        QVERIFY(run.readUntil("Passphrase "));
        run.type(QByteArray(1500, 'x') + '\n');
        QCOMPARE(WEXITSTATUS(run.finish()), 1);
        QVERIFY2(run.output.contains("is longer than 1023 bytes"), run.output.constData());
    }
};

QTEST_GUILESS_MAIN(PassphraseIntegrationTest)
#include "passphrase_integration_test.moc"
