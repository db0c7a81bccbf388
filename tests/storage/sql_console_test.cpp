// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "storage/schema.h"
#include "storage/sql_console.h"
#include "tests/storage/sample_session.h"

#include <QElapsedTimer>
#include <QFile>

#include <sstream>

using namespace model;

class SqlConsoleTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    /// The answer, or the error's text.
    static std::string answer(const std::string &path, std::string_view sql, QueryFormat format = QueryFormat::Csv,
        const storage::SqlLimits &limits = {})
    {
        auto console = storage::SqlConsole::open(path);
        if (!console)
            return console.error().text();
        std::ostringstream out;
        const auto writer = makeQueryWriter(format, out, 0);
        const auto done = console->run(sql, limits, *writer);
        return done ? out.str() : done.error().text();
    }

    /// A copy of the sample, changed.
    std::string changed(const char *name, const char *sql) const
    {
        if (!QFile::copy(m_folder.filePath(QStringLiteral("sample")), m_folder.filePath(QString::fromUtf8(name))))
            qFatal("cannot copy");
        auto database = storage::Database::open(file(name), storage::OpenMode::ReadWrite);
        if (const auto done = database->execute(sql); !done)
            qFatal("%s", done.error().text().c_str());
        return file(name);
    }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("sample"), 10));
    }

    void runsEveryDocumentedView_data()
    {
        QTest::addColumn<QByteArray>("view");
        const auto views = storage::viewDeclarations();
        VERIFY_RESULT(views);
        QVERIFY(views->size() >= 12);
        for (const auto &[name, sql] : *views)
            QTest::newRow(name.c_str()) << QByteArray(name.c_str());
    }
    void runsEveryDocumentedView()
    {
        QFETCH(QByteArray, view);
        const std::string text = answer(file("sample"), ("SELECT * FROM " + view).toStdString());
        const bool mayBeEmpty = view == "v_stack_ages"; // the sample's blocks are too young
        QVERIFY2(std::count(text.begin(), text.end(), '\n') > (mayBeEmpty ? 0 : 1), text.c_str());
        const QByteArray readme = [] {
            QFile read(qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/storage/README.md"));
            return read.open(QIODevice::ReadOnly) ? read.readAll() : QByteArray();
        }();
        QVERIFY2(readme.contains('`' + view + '`'), "storage/README.md does not explain it");
    }

    void answersWithReadableNames()
    {
        QCOMPARE(answer(file("sample"), "SELECT pid, name, cpu_samples, cpu_s, cpu_percent FROM v_threads LIMIT 1"),
            std::string("pid,name,cpu_samples,cpu_s,cpu_percent\n4128,demo,65,0.65,86.67\n"));
        QCOMPARE(answer(file("sample"), "SELECT * FROM v_events LIMIT 2"),
            std::string("time_s,kind,text,duration_s\n0,mark,mark 0,\n0,paused,,0\n"));
    }

    void describesItsTables()
    {
        QVERIFY(answer(file("sample"), "PRAGMA table_info(heap)").find("period_bytes") != std::string::npos);
        QVERIFY(answer(file("sample"), "PRAGMA table_list").find("v_threads") != std::string::npos);
        QVERIFY(answer(file("sample"), "SELECT sql FROM sqlite_schema WHERE name = 'heap'").find("CREATE TABLE")
            != std::string::npos);
        QCOMPARE(answer(file("sample"), "SELECT value FROM json_each('[7]')"), std::string("value\n7\n"));
        QVERIFY(
            answer(file("sample"), "SELECT name FROM pragma_table_info('heap')").find("stack") != std::string::npos);
    }

    void writesTheFormats()
    {
        const char *sql = "SELECT 1 AS a, NULL AS b, 'x\"y' || char(27) AS c; -- a comment\n SELECT x'00ff' AS d";
        QCOMPARE(answer(file("sample"), sql), std::string("a,b,c\n1,,\"x\"\"y\\x1b\"\n\nd\n00ff\n"));
        QCOMPARE(answer(file("sample"), sql, QueryFormat::Json),
            std::string("[{\"columns\": [\"a\",\"b\",\"c\"], \"rows\": [\n  [1,null,\"x\\\"y\\u001b\"]\n ], "
                        "\"is_cut\": false},\n"
                        " {\"columns\": [\"d\"], \"rows\": [\n  [\"00ff\"]\n ], \"is_cut\": false}]\n"));
        QCOMPARE(answer(file("sample"), sql, QueryFormat::Table),
            std::string("a     b  c\n1  NULL  x\"y\\x1b\n\nd\nx'00ff'\n"));
    }

    void refusesAllButReading_data()
    {
        QTest::addColumn<QByteArray>("sql");
        QTest::addColumn<QByteArray>("why");
        const auto row
            = [](const char *sql, const char *why) { QTest::newRow(sql) << QByteArray(sql) << QByteArray(why); };
        const char *reading = "opened for reading alone";
        row("DELETE FROM heap", reading);
        row("UPDATE session SET value = 1", reading);
        row("CREATE TABLE t (x)", reading);
        row("CREATE TEMP TABLE t (x)", reading);
        row("CREATE TEMP TRIGGER t INSTEAD OF INSERT ON v_events BEGIN SELECT 1; END", reading);
        row("DROP VIEW v_events", reading);
        row("ATTACH '/tmp/x' AS y", reading);
        row("VACUUM INTO '/tmp/x'", reading);
        row("BEGIN", reading);
        row("PRAGMA journal_mode=DELETE", "PRAGMA journal_mode is not possible");
        row("PRAGMA writable_schema=ON", "PRAGMA writable_schema is not possible");
        row("PRAGMA query_only=OFF", "PRAGMA query_only is not possible");
        row("PRAGMA user_version=7", "PRAGMA user_version is not possible");
        row("SELECT load_extension('x')", "not authorized to use function");
        row("SELECT * FROM absent", "no such table: absent; \"PRAGMA table_list\" names");
        row("SELECT 1; SELEC 2", "\"SELEC 2\": near \"SELEC\": syntax error");
    }
    void refusesAllButReading()
    {
        QFETCH(QByteArray, sql);
        QFETCH(QByteArray, why);
        const std::string text = answer(file("sample"), sql.toStdString());
        QVERIFY2(text.find(why.toStdString()) != std::string::npos, text.c_str());
    }

    void endsWhatTakesTooLong()
    {
        const char *endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        QElapsedTimer timer;
        timer.start();
        const std::string text = answer(file("sample"), endless, QueryFormat::Csv, {model::Duration::fromMs(100), 0});
        QVERIFY2(text.find("allow more time (--timeout)") != std::string::npos, text.c_str());
        QVERIFY(timer.elapsed() < 5000);
    }

    void boundsItsMemory()
    {
        const char *large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000)"
                            " SELECT i, zeroblob(5000) AS z FROM n ORDER BY z, i DESC";
        const std::string text = answer(file("sample"), large, QueryFormat::Csv, {model::Duration::fromMs(20'000), 1});
        QVERIFY2(text.find("too much memory") != std::string::npos, text.substr(0, 300).c_str());
    }

    /// Tables that are only counted are asked for without a column, and a table expression by its own name.
    void countsTableExpressions()
    {
        QCOMPARE(
            answer(file("sample"), "WITH c AS (SELECT 1 AS x) SELECT count(*) FROM c"), std::string("count(*)\n1\n"));
        QCOMPARE(answer(file("sample"), "WITH c(x) AS (VALUES (1), (2)) SELECT 7 AS y FROM C AS d LIMIT 1"),
            std::string("y\n7\n"));
        QCOMPARE(answer(file("sample"), "SELECT count(*) > 0 AS y FROM Heap"), std::string("y\n1\n"));
        for (const char *name : {"dbstat", "pragma_database_list", "PRAGMA_Module_List", "sqlite_dbpage"}) {
            const std::string text = answer(file("sample"), std::string("SELECT count(*) FROM ") + name);
            QVERIFY2(text.find("count(*)\n") == std::string::npos, text.c_str());
        }
    }

    void cutsLongAnswers()
    {
        const char *sql
            = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n; SELECT 7 AS x";
        QCOMPARE(answer(file("sample"), sql, QueryFormat::Json, {model::Duration::fromMs(9000), 2}),
            std::string("[{\"columns\": [\"i\"], \"rows\": [\n  [1],\n  [2]\n ], \"is_cut\": true},\n"
                        " {\"columns\": [\"x\"], \"rows\": [\n  [7]\n ], \"is_cut\": false}]\n"));
    }

    void runsNothingThatAFileBrings()
    {
        const std::string path = changed("hostile",
            "DROP VIEW v_session; CREATE VIEW v_session AS SELECT 'forged' AS command;"
            "CREATE VIEW mine AS SELECT zeroblob(1000000000);"
            "CREATE TABLE json_each (value); INSERT INTO json_each VALUES ('forged');"
            "ALTER TABLE mark ADD COLUMN boom AS (zeroblob(1000000000));");
        QVERIFY(answer(path, "SELECT command FROM v_session").find("demo") != std::string::npos);
        for (const char *sql : {"SELECT * FROM mine", "SELECT count(*) FROM mine", "SELECT count(*) FROM MINE",
                 "SELECT * FROM json_each", "SELECT * FROM mark", "SELECT count(*) FROM v_events"}) {
            const std::string text = answer(path, sql);
            QVERIFY2(text.find("is no table of a session, or is not declared") != std::string::npos
                    || text.find("no such table") != std::string::npos
                    || text.find("access to view") != std::string::npos,
                text.c_str());
        }
    }

    void givesTheViewsToOldFilesToo()
    {
        const std::string golden
            = qgetenv("GENESIS_SOURCE_DIR").toStdString() + "/tests/golden/session_v1.gprof-session";
        QVERIFY(answer(golden, "SELECT count(*) FROM v_threads").find("\n2\n") != std::string::npos);
        QVERIFY(answer(golden, "SELECT * FROM v_areas").find("no such table") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(SqlConsoleTest)
#include "sql_console_test.moc"
