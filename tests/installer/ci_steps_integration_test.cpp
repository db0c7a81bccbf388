// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QDir>
#include <QFile>
#include <QTest>

namespace tests {

/// The shell steps of the GitHub Action and of the GitLab job, run as they stand in the installed files.
class CiStepsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void passWorseAndFailedAreTold_data();
    void passWorseAndFailedAreTold();
    void whatIsNotToBeMeasuredIsUnclear();
    void linesAreShownWhereThatIsAskedFor();

private:
    Outcome run(const QString &service, const QStringList &values);
    QByteArray kept(const QString &name) const;

    InstalledTree m_tree;
    std::unique_ptr<QTemporaryDir> m_output; ///< of the last run
};

void CiStepsIntegrationTest::initTestCase()
{
    const QString failure = m_tree.install();
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
    if (runProgram(QStringLiteral("python3"), {QStringLiteral("-c"), QStringLiteral("import yaml")}).exitCode != 0)
        QSKIP("python3 has no module yaml here: installer/deps test");
}

Outcome CiStepsIntegrationTest::run(const QString &service, const QStringList &values)
{
    m_output = std::make_unique<QTemporaryDir>();
    const QString file = service == QStringLiteral("github") ? QStringLiteral("github/action.yml")
                                                             : QStringLiteral("gitlab/genprof-gate.gitlab-ci.yml");
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("PATH"), m_tree.at(QStringLiteral("bin:")) + qEnvironmentVariable("PATH"));
    const QString source = qEnvironmentVariable("GENESIS_SOURCE_DIR");
    const QString target = qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/tests/targets/inlining_work_");
    QStringList arguments{source + QStringLiteral("/tests/installer/ci_steps.py"), service,
        m_tree.at(QStringLiteral("share/genesis-profiler/ci/")) + file, m_output->filePath(QStringLiteral("kept"))};
    QDir(m_output->path()).mkdir(QStringLiteral("kept"));
    for (QString value : values)
        arguments << value.replace(QStringLiteral("WORK_"), target);
    return runProgram(QStringLiteral("python3"), arguments, environment, m_output->path());
}

QByteArray CiStepsIntegrationTest::kept(const QString &name) const
{
    QFile file(m_output->filePath(QStringLiteral("kept/")) + name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void CiStepsIntegrationTest::passWorseAndFailedAreTold_data()
{
    QTest::addColumn<QString>("service");
    QTest::addColumn<QString>("command");
    QTest::addColumn<QString>("options");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QByteArray>("words");
    for (const QString &service : {QStringLiteral("github"), QStringLiteral("gitlab")}) {
        const auto row = [&service](
                             const char *name, const char *command, const char *options, int code, const char *words) {
            QTest::newRow(qPrintable(service + u' ' + QLatin1String(name)))
                << service << QString::fromUtf8(command) << QString::fromUtf8(options) << code << QByteArray(words);
        };
        row("passes", "WORK_a1 30", "--max peak_bytes=64MiB", 0, "passed");
        row("too much", "WORK_a1 30", "--max allocations=10", 1, "more than the limit of 10");
        row("worse", "WORK_b1 300", "--runs 0 --against \"WORK_a1 300\" --max counters=+0", 1, "node41");
        row("program", "sh -c 'exit 7'", "--max allocations=10", 1, "status 7");
        row("options", "WORK_a1 30", "--max memory=10", 1, "there is no such key");
    }
}

void CiStepsIntegrationTest::passWorseAndFailedAreTold()
{
    QFETCH(QString, service);
    QFETCH(QString, command);
    QFETCH(QString, options);
    QFETCH(int, exitCode);
    QFETCH(QByteArray, words);
    const bool isGithub = service == QStringLiteral("github");
    const bool isOurs = words.contains("no such key");
    const Outcome ran = run(service,
        {(isGithub ? QStringLiteral("command=") : QStringLiteral("GENPROF_COMMAND=")) + command,
            (isGithub ? QStringLiteral("options=") : QStringLiteral("GENPROF_OPTIONS=")) + options});
    if (isOurs && !isGithub) {
        QVERIFY2(ran.exitCode != 0 && ran.text.contains(QString::fromUtf8(words)), qPrintable(ran.text));
        return; // there is no answer to keep
    }
    QCOMPARE(ran.exitCode, exitCode);
    QVERIFY2(ran.text.contains(QString::fromUtf8(words)), qPrintable(ran.text));
    if (isOurs)
        return;
    QVERIFY2(kept(QStringLiteral("genprof-gate/gate.txt")).contains(words) || words == "passed", qPrintable(ran.text));
    QVERIFY(kept(QStringLiteral("genprof-gate/gate.xml")).contains("<testsuite"));
    QVERIFY(!isGithub || kept(QStringLiteral("summary.md")).contains("### Gate: "));
    if (command.startsWith(QStringLiteral("WORK_"))) {
        QVERIFY(kept(QStringLiteral("genprof-gate/sessions/current.gprof-session")).startsWith("SQLite format 3"));
        QVERIFY(kept(QStringLiteral("genprof-gate/sessions/current.html")).contains("</html>"));
    }
}

void CiStepsIntegrationTest::whatIsNotToBeMeasuredIsUnclear()
{
    const QString command
        = QStringLiteral("%1/tests/targets/static_program").arg(qEnvironmentVariable("GENESIS_BUILD_DIR"));
    const QStringList github{QStringLiteral("command=") + command, QStringLiteral("options=--max allocations=10")};
    const Outcome fails = run(QStringLiteral("github"), github);
    QVERIFY2(fails.exitCode == 1 && fails.text.contains(QStringLiteral("::error::genprof gate cannot tell")),
        qPrintable(fails.text));
    const Outcome warns = run(QStringLiteral("github"), github + QStringList{QStringLiteral("unclear=warn")});
    QVERIFY2(warns.exitCode == 0 && warns.text.contains(QStringLiteral("::warning::")), qPrintable(warns.text));
    const Outcome gitlab = run(QStringLiteral("gitlab"),
        {QStringLiteral("GENPROF_COMMAND=") + command, QStringLiteral("GENPROF_OPTIONS=--max allocations=10")});
    QVERIFY2(
        gitlab.exitCode == 0 && gitlab.text.contains(QStringLiteral("cannot be checked")), qPrintable(gitlab.text));
}

void CiStepsIntegrationTest::linesAreShownWhereThatIsAskedFor()
{
    const Outcome ran = run(QStringLiteral("github"),
        {QStringLiteral("command=WORK_a1 30"), QStringLiteral("options=--max allocations=10"),
            QStringLiteral("sarif=true")});
    QCOMPARE(ran.exitCode, 1);
    QVERIFY2(kept(QStringLiteral("gate.sarif")).contains("inlining_work.cpp"), qPrintable(ran.text));
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::CiStepsIntegrationTest)
#include "ci_steps_integration_test.moc"
