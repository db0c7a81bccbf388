// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/installer/installed_tree.h"

#include <QDir>
#include <QFile>
#include <QMap>
#include <QTest>
#include <QXmlStreamReader>

namespace tests {

/// The projects of tests/examples, built against an installed tree as their authors would build them.
class ConsumerIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void memoryTestsPassAndFailAsTheySay();
    void growthIsSinceTheBaseline();
    void mistakesAreToldWhenCMakeRuns_data();
    void mistakesAreToldWhenCMakeRuns();
    void expectationsFailInEveryFramework();

private:
    /// A test of a project: how it ended, and what it said.
    struct Result
    {
        QString status; ///< "run", "fail", "notrun"
        QString output;
    };
    QString example(const QString &name) const;
    QString build(const QString &source, const QString &name) const;
    QMap<QString, Result> test(const QString &build, const QString &filter) const;

    InstalledTree m_tree;
    QTemporaryDir m_folder;
};

QString ConsumerIntegrationTest::example(const QString &name) const
{
    return qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/tests/examples/") + name;
}

void ConsumerIntegrationTest::initTestCase()
{
    const QString failure = m_tree.install();
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
}

/// Configures and builds a project; what went wrong.
QString ConsumerIntegrationTest::build(const QString &source, const QString &name) const
{
    const QString folder = m_folder.filePath(name);
    const Outcome configured = runProgram(QStringLiteral("cmake"),
        {QStringLiteral("-G"), QStringLiteral("Ninja"), QStringLiteral("-S"), source, QStringLiteral("-B"), folder,
            QStringLiteral("-DCMAKE_PREFIX_PATH=") + m_tree.prefix()});
    if (configured.exitCode != 0)
        return configured.text;
    const Outcome built = runProgram(QStringLiteral("cmake"), {QStringLiteral("--build"), folder});
    return built.exitCode == 0 ? QString() : built.text;
}

QMap<QString, ConsumerIntegrationTest::Result> ConsumerIntegrationTest::test(
    const QString &build, const QString &filter) const
{
    const QString report = build + QStringLiteral("/report.xml");
    runProgram(QStringLiteral("ctest"),
        {QStringLiteral("--test-dir"), build, QStringLiteral("-R"), filter, QStringLiteral("--output-junit"), report});
    QMap<QString, Result> results;
    QFile file(report);
    if (!file.open(QIODevice::ReadOnly))
        return results;
    QXmlStreamReader xml(&file);
    QString name;
    while (!xml.atEnd())
        if (xml.readNextStartElement() || xml.isStartElement()) {
            if (xml.name() == QStringLiteral("testcase")) {
                name = xml.attributes().value(QStringLiteral("name")).toString();
                results[name].status = xml.attributes().value(QStringLiteral("status")).toString();
            } else if (xml.name() == QStringLiteral("system-out")) {
                results[name].output = xml.readElementText();
            }
        }
    return results;
}

void ConsumerIntegrationTest::memoryTestsPassAndFailAsTheySay()
{
    const QString failure = build(example(QStringLiteral("cmake")), QStringLiteral("words"));
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
    const auto results = test(m_folder.filePath(QStringLiteral("words")), QStringLiteral("."));
    QCOMPARE(results.size(), 11);
    const QMap<QString, QStringList> words{
        {QStringLiteral("words.peak_fails"),
            {QStringLiteral("more than the limit of 2 KiB"), QStringLiteral("keepWord"), QStringLiteral("words.c:")}},
        {QStringLiteral("words.allocations_fails"),
            {QStringLiteral("Allocations: 100, 1 (1.0 %) more than the limit of 99"), QStringLiteral("keepWord")}},
        {QStringLiteral("words.leak_fails"),
            {QStringLiteral("Lost blocks: 1, 1 more than the limit of 0"), QStringLiteral("keepWord")}},
        {QStringLiteral("words.status_fails"), {QStringLiteral("words: how many?"), QStringLiteral("status 1")}},
        {QStringLiteral("words.of_kind_fails"), {QStringLiteral("more than the limit of 100")}}};
    for (auto it = results.begin(); it != results.end(); ++it) {
        const QString expected = it.key().endsWith(QStringLiteral("_fails")) ? QStringLiteral("fail")
            : it.key().endsWith(QStringLiteral("_skips"))                    ? QStringLiteral("notrun")
                                                                             : QStringLiteral("run");
        QVERIFY2(it->status == expected, qPrintable(it.key() + u' ' + it->status + u'\n' + it->output));
        for (const QString &word : words.value(it.key()))
            QVERIFY2(it->output.contains(word), qPrintable(it.key() + u'\n' + it->output));
    }
    QVERIFY(QFile::exists(m_folder.filePath(QStringLiteral("words/genprof/words.counts/current.gprof-session"))));
}

void ConsumerIntegrationTest::growthIsSinceTheBaseline()
{
    // A copy: a baseline of this machine is no part of the example.
    const QDir source(example(QStringLiteral("cmake")));
    const QDir copy(m_folder.filePath(QStringLiteral("source")));
    QVERIFY(QDir().mkpath(copy.path()));
    for (const QString &name : source.entryList(QDir::Files))
        QVERIFY(QFile::copy(source.filePath(name), copy.filePath(name)));
    const auto saved = [&](const QString &count) {
        QFile::remove(copy.filePath(QStringLiteral("words.baseline")));
        return runProgram(m_tree.at(QStringLiteral("bin/genprof")),
            {QStringLiteral("baseline"), QStringLiteral("save"), copy.filePath(QStringLiteral("words.baseline")),
                QStringLiteral("--runs"), QStringLiteral("6"), QStringLiteral("--"),
                m_folder.filePath(QStringLiteral("words/words")), count});
    };
    const QString filter = QStringLiteral("^words.growth$");
    Outcome save = saved(QStringLiteral("97"));
    QVERIFY2(save.exitCode == 0, qPrintable(save.text));
    const QString failure = build(copy.path(), QStringLiteral("growth"));
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
    const auto within = test(m_folder.filePath(QStringLiteral("growth")), filter).first();
    QVERIFY2(within.status == QStringLiteral("run"), qPrintable(within.output));
    save = saved(QStringLiteral("90"));
    QVERIFY2(save.exitCode == 0, qPrintable(save.text));
    const auto beyond = test(m_folder.filePath(QStringLiteral("growth")), filter).first();
    QVERIFY2(beyond.status == QStringLiteral("fail"), qPrintable(beyond.output));
    QVERIFY2(beyond.output.contains(QStringLiteral("Allocations: 90 → 100 (+10, +11.1 %), limit +5 %"))
            && beyond.output.contains(QStringLiteral("keepWord")),
        qPrintable(beyond.output));
}

void ConsumerIntegrationTest::mistakesAreToldWhenCMakeRuns_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<QString>("words");
    const auto row = [](const char *name, const char *arguments, const char *words) {
        QTest::newRow(name) << QString::fromUtf8(arguments) << QString::fromUtf8(words);
    };
    row("no name", "COMMAND x", "NAME and COMMAND are needed");
    row("argument", "NAME t COMMAND x MAX_PEEK 1", "MAX_PEEK stands in COMMAND");
    row("unit", "NAME t COMMAND x MAX_PEAK 64apples", "peak_bytes is a number of bytes");
    row("kind", "NAME t COMMAND x KIND units", "unit, integration or soak");
    row("growth", "NAME t COMMAND x MAX_GROWTH 5%", "needs BASELINE");
    row("file", "NAME t COMMAND x THRESHOLDS bad.toml", "bad.toml:2: there is no threshold");
    row("no file", "NAME t COMMAND x THRESHOLDS none.toml", "none.toml");
}

void ConsumerIntegrationTest::mistakesAreToldWhenCMakeRuns()
{
    QFETCH(QString, arguments);
    QFETCH(QString, words);
    const QString source = m_folder.filePath(QStringLiteral("mistakes"));
    QVERIFY(QDir().mkpath(source));
    const auto write = [&source](const QString &name, const QString &text) {
        QFile file(source + u'/' + name);
        return file.open(QIODevice::WriteOnly | QIODevice::Truncate) && file.write(text.toUtf8()) > 0;
    };
    QVERIFY(write(QStringLiteral("bad.toml"), QStringLiteral("[unit]\nmax_peek = 1\n")));
    QVERIFY(write(QStringLiteral("CMakeLists.txt"),
        QStringLiteral("cmake_minimum_required(VERSION 3.25)\nproject(mistakes LANGUAGES NONE)\n"
                       "find_package(GenesisProfiler REQUIRED)\nenable_testing()\ngenprof_add_memory_test(%1)\n")
            .arg(arguments)));
    const Outcome configured = runProgram(QStringLiteral("cmake"),
        {QStringLiteral("-S"), source, QStringLiteral("-B"), source + QStringLiteral("/build"),
            QStringLiteral("-DCMAKE_PREFIX_PATH=") + m_tree.prefix()});
    QVERIFY2(configured.exitCode == 1, qPrintable(configured.text));
    const QString flat = configured.text.simplified(); // CMake breaks lines
    QVERIFY2(flat.contains(words) && flat.contains(QStringLiteral("CMakeLists.txt:5")), qPrintable(configured.text));
}

void ConsumerIntegrationTest::expectationsFailInEveryFramework()
{
    const QString failure = build(example(QStringLiteral("frameworks")), QStringLiteral("expect"));
    QVERIFY2(failure.isEmpty(), qPrintable(failure));
    const QString folder = m_folder.filePath(QStringLiteral("expect"));
    const auto results = test(folder, QStringLiteral("."));
    QVERIFY(results.contains(QStringLiteral("plain")));
    for (auto it = results.begin(); it != results.end(); ++it) {
        QVERIFY2(it->status == QStringLiteral("fail"), qPrintable(it.key() + u' ' + it->status + u'\n' + it->output));
        for (const char *word :
            {"GENPROF_EXPECT_NO_LEAK: 1 block not freed", "1 block, 48 bytes:", "untidyTask", "tasks.h:"})
            QVERIFY2(it->output.contains(QLatin1String(word)), qPrintable(it.key() + u'\n' + it->output));
        // By itself it runs through, and says what it did not look at.
        const Outcome alone = runProgram(folder + u'/' + it.key(), {});
        QVERIFY2(
            alone.exitCode == 0 && alone.text.contains(QStringLiteral("GENPROF_EXPECT_NO_LEAK: skipped: not recorded")),
            qPrintable(alone.text));
    }
    const QString plain = results[QStringLiteral("plain")].output;
    QVERIFY2(plain.contains(QStringLiteral("400 bytes live at once, 300 more than the limit of 100"))
            && plain.contains(QStringLiteral("ran to its end")) && plain.contains(QStringLiteral("plain.cpp:")),
        qPrintable(plain));
    if (!results.contains(QStringLiteral("googletest")) || !results.contains(QStringLiteral("catch2"))
        || !results.contains(QStringLiteral("qttest")))
        QSKIP("Not all of GoogleTest, Catch2 and Qt Test are installed here");
    const QString google = results[QStringLiteral("googletest")].output;
    QVERIFY2(google.contains(QStringLiteral("[  PASSED  ] 1 test")) && google.contains(QStringLiteral("2 FAILED TESTS"))
            && google.contains(QStringLiteral("5 allocations, 3 more than the limit of 2")),
        qPrintable(google));
}

} // namespace tests

QTEST_GUILESS_MAIN(tests::ConsumerIntegrationTest)
#include "consumer_integration_test.moc"
