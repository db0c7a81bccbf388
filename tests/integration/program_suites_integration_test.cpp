// SPDX-License-Identifier: GPL-3.0-or-later
// Programs nobody here wrote, with tests or work of their own, alone and recorded: the same results. Python's own tests are compared one by one;
// GENESIS_LONG_TESTS=1 runs those that take a minute or more.
#include "tests/integration/genprof_runner.h"

#include <QDir>
#include <QFile>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

using tests::GenprofRunner;

namespace {

constexpr int kLimitMs = 280'000;

bool isThere(const char *program) { return !QStandardPaths::findExecutable(QString::fromUtf8(program)).isEmpty(); }

QString scriptOf(const QString &name)
{
    return qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/tests/targets/scripts/") + name;
}

struct End
{
    int status = -1;
    QByteArray out;
    QByteArray err;
};

/// Runs in a folder of its own, so that both runs find the same.
End run(const QStringList &command, const QString &folder)
{
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(command.first(), command.mid(1));
    process.closeWriteChannel();
    if (!process.waitForFinished(kLimitMs)) {
        process.kill();
        process.waitForFinished();
        return {-1, process.readAllStandardOutput(), "did not end in time"};
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 128 + process.exitCode(),
        process.readAllStandardOutput(), process.readAllStandardError()};
}

QStringList recorded(const GenprofRunner &runner, const QString &mode, const QStringList &command)
{
    QFile::remove(runner.session());
    return QStringList{GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("-q"),
               QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("--heap"), mode, QStringLiteral("-o"),
               runner.session(), QStringLiteral("--")}
    + command;
}

/// Each test of a JUnit report, with what became of it; sorted.
QStringList resultsIn(const QString &path)
{
    QFile file(path);
    QStringList results;
    if (!file.open(QIODevice::ReadOnly))
        return results;
    QXmlStreamReader xml(&file);
    QString name, outcome;
    while (!xml.atEnd()) {
        const auto token = xml.readNext();
        if (token == QXmlStreamReader::StartElement && xml.name() == QStringLiteral("testcase")) {
            name = xml.attributes().value(QStringLiteral("name")).toString();
            outcome = QStringLiteral("passed");
        } else if (token == QXmlStreamReader::StartElement && !name.isEmpty()) {
            outcome = xml.name().toString();
        } else if (token == QXmlStreamReader::EndElement && xml.name() == QStringLiteral("testcase")) {
            results.append(name + QStringLiteral(": ") + outcome);
            name.clear();
        }
    }
    results.sort();
    return results;
}

/// What is in one list and not in the other.
QStringList differences(const QStringList &plain, const QStringList &traced)
{
    QStringList all;
    for (const QString &line : traced)
        if (!plain.contains(line))
            all.append(QStringLiteral("recorded: ") + line);
    for (const QString &line : plain)
        if (!traced.contains(line))
            all.append(QStringLiteral("alone: ") + line);
    return all;
}

void expectWhole(const GenprofRunner &runner)
{
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    const QJsonValue losses = summary[QStringLiteral("losses")];
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(-1), 0);
    QVERIFY(summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger() > 0);
}

} // namespace

class ProgramSuitesIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void scriptsDoTheSame_data();
    void scriptsDoTheSame();
    void pythonsTestsGiveTheSame_data();
    void pythonsTestsGiveTheSame();
};

void ProgramSuitesIntegrationTest::scriptsDoTheSame_data()
{
    QTest::addColumn<QString>("interpreter");
    QTest::addColumn<QString>("script");
    QTest::addColumn<QStringList>("needs");
    QTest::newRow("make -j2") << QStringLiteral("sh") << QStringLiteral("make_project.sh")
                              << QStringList{QStringLiteral("make"), QStringLiteral("cc")};
    QTest::newRow("git") << QStringLiteral("sh") << QStringLiteral("git_work.sh") << QStringList{QStringLiteral("git")};
    QTest::newRow("bash") << QStringLiteral("bash") << QStringLiteral("bash_forks.sh")
                          << QStringList{QStringLiteral("bash")};
    QTest::newRow("perl") << QStringLiteral("perl") << QStringLiteral("perl_forks.pl")
                          << QStringList{QStringLiteral("perl")};
}

void ProgramSuitesIntegrationTest::scriptsDoTheSame()
{
    QFETCH(QString, interpreter);
    QFETCH(QString, script);
    QFETCH(QStringList, needs);
    for (const QString &program : needs)
        if (!isThere(qPrintable(program)))
            QSKIP(qPrintable(program + QStringLiteral(" is not installed")));
    const GenprofRunner runner;
    const QStringList command{interpreter, scriptOf(script)};
    const QTemporaryDir alone;
    const End plain = run(command, alone.path());
    QVERIFY2(plain.out.count('\n') > 2, plain.err.constData());
    for (const QString &mode : {QStringLiteral("full"), QStringLiteral("sampled=4096")}) {
        const QTemporaryDir folder;
        const End end = run(recorded(runner, mode, command), folder.path());
        QCOMPARE(end.out, plain.out);
        QCOMPARE(end.err, plain.err);
        QCOMPARE(end.status, plain.status);
        expectWhole(runner);
    }
}

void ProgramSuitesIntegrationTest::pythonsTestsGiveTheSame_data()
{
    QTest::addColumn<bool>("isLong");
    QTest::newRow("test_json") << false;
    for (const char *suite : {"test_threading", "test_subprocess", "test_multiprocessing_fork", "test_asyncio"})
        QTest::newRow(suite) << true;
}

void ProgramSuitesIntegrationTest::pythonsTestsGiveTheSame()
{
    QFETCH(bool, isLong);
    if (isLong && qEnvironmentVariableIntValue("GENESIS_LONG_TESTS") == 0)
        QSKIP("takes minutes: GENESIS_LONG_TESTS=1 runs it");
    const GenprofRunner runner;
    const QString python = QStringLiteral("/usr/bin/python3");
    if (runner.run(python, {QStringLiteral("-c"), QStringLiteral("import test.test_json")}).exitCode != 0)
        QSKIP("Python's own tests are not installed (libpython3.11-testsuite)");
    const auto command = [&](const QTemporaryDir &folder) {
        return QStringList{python, QStringLiteral("-m"), QStringLiteral("test"), QStringLiteral("--junit-xml"),
            folder.filePath(QStringLiteral("results.xml")), QString::fromUtf8(QTest::currentDataTag())};
    };
    // Some of these tests depend on the machine's load: what differs must differ again.
    QStringList lasting;
    for (int round = 0; round < 2 && (round == 0 || !lasting.isEmpty()); ++round) {
        const QTemporaryDir alone, folder;
        run(command(alone), alone.path());
        const QStringList plain = resultsIn(alone.filePath(QStringLiteral("results.xml")));
        QVERIFY(plain.size() > 20);
        const End end = run(recorded(runner, QStringLiteral("full"), command(folder)), folder.path());
        const QStringList traced = resultsIn(folder.filePath(QStringLiteral("results.xml")));
        QVERIFY2(!traced.isEmpty(), (end.out.right(2000) + end.err).constData());
        const QStringList now = differences(plain, traced);
        if (!now.isEmpty())
            qInfo("round %d: %s", round, qPrintable(now.join(QStringLiteral("; "))));
        QStringList both;
        for (const QString &line : now)
            if (round == 0 || lasting.contains(line))
                both.append(line);
        lasting = both;
        expectWhole(runner);
    }
    QVERIFY2(lasting.isEmpty(), qPrintable(lasting.join(u'\n')));
}

QTEST_GUILESS_MAIN(ProgramSuitesIntegrationTest)
#include "program_suites_integration_test.moc"
