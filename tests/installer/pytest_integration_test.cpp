// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QFile>
#include <QTest>

namespace tests {

/// The pytest plugin of the installed tree on tests/examples/pytest.
class PytestIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void markersPassAndFailAsTheySay();
    void withoutARecorderTestsRunAndAreSkipped();
    void wrongMarkersAreExplained_data();
    void wrongMarkersAreExplained();

private:
    QStringList pytest(const QString &file) const;
    QProcessEnvironment environment() const;

    InstalledTree m_tree;
    QTemporaryDir m_folder;
    QString m_python;
};

void PytestIntegrationTest::initTestCase()
{
    const QString failure = m_tree.install();
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
    for (const QString &python : {QStringLiteral("python3"), QStringLiteral("/usr/bin/python3")})
        if (m_python.isEmpty()
            && runProgram(python, {QStringLiteral("-c"), QStringLiteral("import pytest")}).exitCode == 0)
            m_python = python;
    QVERIFY(
        QFile::copy(qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/tests/examples/pytest/test_words.py"),
            m_folder.filePath(QStringLiteral("test_words.py"))));
    if (m_python.isEmpty())
        QSKIP("python3 has no module pytest here: installer/deps test");
}

QStringList PytestIntegrationTest::pytest(const QString &file) const
{
    return {QStringLiteral("-B"), QStringLiteral("-m"), QStringLiteral("pytest"), QStringLiteral("-p"),
        QStringLiteral("pytest_genprof"), QStringLiteral("-p"), QStringLiteral("no:cacheprovider"),
        QStringLiteral("-rA"), file};
}

QProcessEnvironment PytestIntegrationTest::environment() const
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("PYTHONPATH"), m_tree.at(QStringLiteral("share/genesis-profiler/pytest")));
    environment.insert(QStringLiteral("PYTEST_DISABLE_PLUGIN_AUTOLOAD"), QStringLiteral("1"));
    return environment;
}

void PytestIntegrationTest::markersPassAndFailAsTheySay()
{
    const Outcome ran = runProgram(m_tree.at(QStringLiteral("bin/genprof")),
        QStringList{QStringLiteral("record"), QStringLiteral("-q"), QStringLiteral("-o"),
            m_folder.filePath(QStringLiteral("tests.gprof-session")), QStringLiteral("--"), m_python}
            + pytest(m_folder.filePath(QStringLiteral("test_words.py"))),
        environment(), m_folder.path());
    QVERIFY2(ran.exitCode == 1, qPrintable(ran.text));
    for (const char *line :
        {"PASSED test_words.py::test_words_are_given_back", "PASSED test_words.py::test_of_a_small_list",
            "PASSED test_words.py::test_growth[1]", "PASSED test_words.py::test_without_a_marker",
            "FAILED test_words.py::test_of_a_forgotten_block_fails", "FAILED test_words.py::test_of_a_large_list_fails",
            "FAILED test_words.py::test_of_another_thread_fails", "FAILED test_words.py::test_growth[1000]",
            "FAILED test_words.py::test_that_is_wrong_fails", "5 failed, 4 passed"})
        QVERIFY2(ran.text.contains(QLatin1String(line)), qPrintable(QLatin1String(line) + u'\n' + ran.text));
    QVERIFY2(ran.text.contains(QStringLiteral("genprof: 1 block not freed"))
            && ran.text.contains(QStringLiteral("1 block, 10000 bytes:"))
            && ran.text.contains(QStringLiteral("more than the limit of 102400")),
        qPrintable(ran.text));
}

void PytestIntegrationTest::withoutARecorderTestsRunAndAreSkipped()
{
    const Outcome ran = runProgram(
        m_python, pytest(m_folder.filePath(QStringLiteral("test_words.py"))), environment(), m_folder.path());
    QVERIFY2(ran.text.contains(QStringLiteral("1 failed, 1 passed, 7 skipped"))
            && ran.text.contains(QStringLiteral("its memory was not looked at: run genprof record")),
        qPrintable(ran.text));
}

void PytestIntegrationTest::wrongMarkersAreExplained_data()
{
    QTest::addColumn<QString>("marker");
    QTest::addColumn<QString>("words");
    QTest::newRow("name") << QStringLiteral("max_peek=1")
                          << QStringLiteral("has no max_peek; there are max_allocations");
    QTest::newRow("amount") << QStringLiteral("max_peak='64 apples'")
                            << QStringLiteral("max_peak='64 apples' is no amount");
    QTest::newRow("count") << QStringLiteral("max_allocations='1K'")
                           << QStringLiteral("max_allocations='1K' is no number");
    QTest::newRow("position") << QStringLiteral("True") << QStringLiteral("keywords only");
}

void PytestIntegrationTest::wrongMarkersAreExplained()
{
    QFETCH(QString, marker);
    QFETCH(QString, words);
    QFile file(m_folder.filePath(QStringLiteral("test_wrong.py")));
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
    file.write(QStringLiteral("import pytest\n@pytest.mark.genprof(%1)\ndef test_it(): pass\n").arg(marker).toUtf8());
    file.close();
    const Outcome ran = runProgram(m_python, pytest(file.fileName()), environment(), m_folder.path());
    QVERIFY2(
        ran.exitCode == 4 && ran.text.contains(QStringLiteral("test_wrong.py::test_it: ")) && ran.text.contains(words),
        qPrintable(ran.text));
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::PytestIntegrationTest)
#include "pytest_integration_test.moc"
