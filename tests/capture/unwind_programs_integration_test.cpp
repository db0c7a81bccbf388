// SPDX-License-Identifier: GPL-3.0-or-later
// Every frame of stacks taken incrementally against the plain walk and against libunwind, inside real programs.
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

#include <array>
#include <cstring>

namespace {

QString built(const char *path) { return qEnvironmentVariable("GENESIS_BUILD_DIR") + u'/' + QLatin1String(path); }

/// The counters of unwind_check.cpp, of all processes that a command started.
struct Counts
{
    quint64 stacks = 0, compared = 0, equal = 0, longerThere = 0, shorterThere = 0, different = 0, plainDifferent = 0,
            plainly = 0, walkedFrames = 0, wholeFrames = 0;
    QByteArray differences;
};

Counts countsIn(const QDir &folder)
{
    std::array<quint64, 10> sums{};
    Counts counts;
    for (const QString &name : folder.entryList(QDir::Files)) {
        QFile file(folder.filePath(name));
        if (!file.open(QIODevice::ReadOnly))
            continue;
        const QByteArray bytes = file.readAll();
        if (name.endsWith(QLatin1String(".differences"))) {
            counts.differences += bytes.left(4000);
            continue;
        }
        std::array<quint64, 10> numbers{};
        std::memcpy(
            numbers.data(), bytes.constData(), std::min<std::size_t>(sizeof numbers, std::size_t(bytes.size())));
        for (std::size_t i = 0; i < numbers.size(); ++i)
            sums[i] += numbers[i];
    }
    std::memcpy(static_cast<void *>(&counts), sums.data(), sizeof sums);
    return counts;
}

} // namespace

class UnwindProgramsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void stacksAreThoseOfLibunwind_data()
    {
        QTest::addColumn<QStringList>("command");
        QTest::addColumn<int>("every");
        QTest::addRow("all shapes") << QStringList{built("tests/targets/stack_shapes")} << 7;
        QTest::addRow("all shapes, by rbp") << QStringList{built("tests/targets/stack_shapes_by_rbp")} << 7;
        QTest::addRow("segments apart") << QStringList{built("tests/targets/stack_shapes_apart")} << 20;
        QTest::addRow("segments apart, fixed") << QStringList{built("tests/targets/stack_shapes_fixed")} << 20;
        QTest::addRow("python3") << QStringList{QStringLiteral("env"), QStringLiteral("PYTHONMALLOC=malloc"),
            QStringLiteral("/usr/bin/python3"), QStringLiteral("-c"),
            QStringLiteral("import json, re, asyncio, decimal\n"
                           "for i in range(3000): json.loads(json.dumps({'a': [i, {'b': str(i)}] * 5}))\n"
                           "async def f(n): return n if n < 2 else await f(n - 1) + await f(n - 2)\n"
                           "print(asyncio.run(f(14)), re.sub('(a|b)+', 'c', 'ab' * 500)[:3])")}
                                 << 50;
        QTest::addRow("sqlite3") << QStringList{QStringLiteral("/usr/bin/sqlite3"), QStringLiteral(":memory:"),
            QStringLiteral(
                "create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < "
                "20000) insert into t select x, hex(randomblob(20)) from c; create index i on t(b); "
                "select count(*), json_group_array(a) from t where b like '%A0%';")}
                                 << 20;
        QTest::addRow("cc1plus") << QStringList{QStringLiteral("g++"), QStringLiteral("-std=c++20"),
            QStringLiteral("-O1"), QStringLiteral("-c"), QStringLiteral("heavy.cpp"), QStringLiteral("-o"),
            QStringLiteral("/dev/null")}
                                 << 500;
        QTest::addRow("Qt") << QStringList{built("bin/genesis-profiler"), QStringLiteral("--export"),
            QStringLiteral("out"),
            qEnvironmentVariable("GENESIS_SOURCE_DIR") + QLatin1String("/tests/golden/session_v1.gprof-session")}
                            << 50;
    }
    void stacksAreThoseOfLibunwind()
    {
        QFETCH(QStringList, command);
        QFETCH(int, every);
        if (command.first().endsWith(QLatin1String("genesis-profiler")) && GENESIS_IS_SANITIZED)
            QSKIP("a program with a sanitizer takes no other library before the sanitizer's");
        const QTemporaryDir folder, counters;
        QFile source(folder.filePath(QStringLiteral("heavy.cpp")));
        QVERIFY(source.open(QIODevice::WriteOnly));
        source.write(
            "#include <functional>\n#include <map>\n#include <regex>\n#include <string>\n"
            "int main() { std::map<std::string, std::function<int(int)>> m; m[\"x\"] = [](int i) { return i; };\n"
            "return std::regex_match(\"abcd\", std::regex(\"a(b|c)*d\")) + m[\"x\"](3); }\n");
        source.close();
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("LD_PRELOAD"), built("tests/targets/libunwind_check.so"));
        environment.insert(QStringLiteral("UNWIND_CHECK_OUT"), counters.path());
        environment.insert(QStringLiteral("UNWIND_CHECK_EVERY"), QString::number(every));
        process.setProcessEnvironment(environment);
        process.setWorkingDirectory(folder.path());
        process.start(command.first(), command.mid(1));
        QVERIFY2(process.waitForFinished(100'000), qPrintable(process.errorString()));
        QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());

        const Counts counts = countsIn(QDir(counters.path()));
        qInfo("%llu stacks, %.1f %% of their frames walked; %llu of %llu equal libunwind's, %llu longer there, %llu "
              "shorter "
              "there, %llu different",
            counts.stacks, 100.0 * double(counts.walkedFrames) / double(counts.wholeFrames), counts.equal,
            counts.compared, counts.longerThere, counts.shorterThere, counts.different);
        QVERIFY(counts.compared > 500);
        QVERIFY2(counts.plainDifferent == 0, counts.differences.constData());
        QVERIFY2(double(counts.equal) >= 0.999 * double(counts.compared), counts.differences.constData());
        // Taken over, not walked: the point of it all.
        QVERIFY(counts.walkedFrames < counts.wholeFrames / 2);
    }
};

QTEST_GUILESS_MAIN(UnwindProgramsTest)
#include "unwind_programs_integration_test.moc"
