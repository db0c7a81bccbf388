// SPDX-License-Identifier: GPL-3.0-or-later
// Files that were changed at random, and files that were made to hurt: each is read or refused with a reason, in bounded time and memory.
#include "storage/database.h"
#include "storage/sql_console.h"
#include "tests/storage/sample_session.h"
#include "tests/support/fuzz_rounds.h"

#include <QFile>

#include <sys/resource.h>

#include <ctime>
#include <random>
#include <sstream>

using namespace model;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

constexpr int kMostMs = kIsSanitized ? 20'000 : 2'000;
constexpr long kMostKiB = 500 * 1024;

long peakKiB()
{
    struct rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/// Opens, reads under two selections, follows every stack, and asks in SQL. What cannot be read says why.
void readAll(const std::string &path)
{
    auto reader = storage::SessionReader::open(path);
    if (!reader) {
        if (reader.error().text().find(path) == std::string::npos)
            qFatal("an error without its file: %s", reader.error().text().c_str());
        return;
    }
    for (const Selection &selection : {Selection{}, Selection{.time = TimeRange{{3'000'000'000}, {9'000'000'000}}}}) {
        const auto snapshot = reader->snapshot(selection);
        if (!snapshot)
            continue;
        const ProgramTables &tables = *(*snapshot)->tables;
        for (const HeapCost &cost : (*snapshot)->heap)
            for (StackId stack = cost.stack; !isRoot(stack); stack = tables.stacks.at(stack.index()).parent)
                static_cast<void>(tables.frames.at(tables.stacks.at(stack.index()).frame.index()));
    }
    if (auto console = storage::SqlConsole::open(path)) {
        std::ostringstream out;
        const auto writer = makeQueryWriter(QueryFormat::Csv, out, 0);
        for (const char *sql : {"SELECT * FROM v_session", "SELECT * FROM v_losses", "SELECT * FROM v_threads"})
            static_cast<void>(console->run(sql, {model::Duration::fromMs(500), 1000}, *writer));
    }
}

} // namespace

class SessionFuzzTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    QByteArray m_good;

    std::string write(const char *name, const QByteArray &bytes) const
    {
        const QString path = m_folder.filePath(QString::fromUtf8(name));
        QFile out(path);
        if (!out.open(QIODevice::WriteOnly | QIODevice::Truncate) || out.write(bytes) != bytes.size())
            qFatal("cannot write");
        return path.toStdString();
    }

    std::string changed(const char *sql) const
    {
        const std::string path = write("hostile", m_good);
        auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
        if (const auto done = database->execute(sql); !done)
            qFatal("%s", done.error().text().c_str());
        return path;
    }

    static void readsInTime(const std::string &path)
    {
        // Of the processor's time: a busy machine is not the file's fault.
        const std::clock_t begin = std::clock();
        readAll(path);
        const long ms = (std::clock() - begin) * 1000 / CLOCKS_PER_SEC;
        QVERIFY2(ms <= kMostMs, qPrintable(QStringLiteral("%1 ms").arg(ms)));
        QVERIFY2(kIsSanitized || peakKiB() < kMostKiB, qPrintable(QStringLiteral("%1 KiB").arg(peakKiB())));
    }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession sample;
        const std::string path = write("good", {});
        QFile::remove(QString::fromStdString(path));
        VERIFY_RESULT(sample.make(path, 20, 40));
        QFile good(QString::fromStdString(path));
        QVERIFY(good.open(QIODevice::ReadOnly));
        m_good = good.readAll();
    }

    void survivesRandomChanges()
    {
        const unsigned rounds = tests::fuzzRounds(200);
        std::mt19937 random(42);
        for (unsigned round = 0; round < rounds; ++round) {
            QByteArray bytes = m_good;
            const auto any = [&] { return static_cast<qsizetype>(random() % static_cast<unsigned>(bytes.size())); };
            const auto pages = static_cast<unsigned>(bytes.size() / 4096);
            switch (random() % 5) {
            case 0: // bits
                for (unsigned i = 1u << (random() % 10); i-- > 0;)
                    bytes[any()] ^= static_cast<char>(1 << (random() % 8));
                break;
            case 1: // the bytes that say what a page is and where its cells are
                for (unsigned i = 1 + random() % 4; i-- > 0;)
                    bytes[static_cast<qsizetype>(random() % pages) * 4096 + static_cast<qsizetype>(random() % 64)]
                        = static_cast<char>(random());
                break;
            case 2: // a page takes the place of another
                bytes.replace(static_cast<qsizetype>(random() % pages) * 4096, 4096,
                    m_good.mid(static_cast<qsizetype>(random() % pages) * 4096, 4096));
                break;
            case 3: // the header
                bytes[static_cast<qsizetype>(16 + random() % 84)] = static_cast<char>(random());
                break;
            default: // cut off, or with something behind it
                bytes.resize(any());
                bytes.append(QByteArray(static_cast<qsizetype>(random() % 5000), static_cast<char>(random())));
            }
            readsInTime(write("random", bytes));
        }
    }

    void survivesFilesMadeToHurt_data()
    {
        QTest::addColumn<QByteArray>("sql");
        const auto row = [](const char *name, const char *sql) { QTest::newRow(name) << QByteArray(sql); };
        row("endless views for tables",
            "ALTER TABLE mark RENAME TO m; CREATE VIEW mark AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i "
            "FROM n)"
            " SELECT i AS id, 0 AS when_ns, 0 AS kind, '' AS text FROM n;"
            "ALTER TABLE tick RENAME TO t; CREATE VIEW tick AS SELECT * FROM mark");
        row("columns that are computed",
            "ALTER TABLE string ADD COLUMN boom AS (zeroblob(1000000000));"
            "ALTER TABLE session ADD COLUMN boom AS (hex(zeroblob(500000000)))");
        row("triggers",
            "CREATE TRIGGER a AFTER INSERT ON session BEGIN DELETE FROM heap; END;"
            "CREATE TRIGGER b BEFORE DELETE ON heap BEGIN SELECT load_extension('x'); END");
        row("indexes over expressions",
            "CREATE INDEX boom ON string (length(hex(text)) COLLATE NOCASE);"
            "CREATE INDEX part ON stack (id) WHERE frame + parent > 1");
        row("virtual tables", "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('a')");
        row("ids far apart",
            "UPDATE string SET id = id * 1000 WHERE id > 0; UPDATE stack SET id = id * 1000 WHERE id > 5;"
            "UPDATE image SET id = id * 100000; UPDATE thread SET id = id * 100000; UPDATE frame SET id = id * 999");
        row("parents in circles", "UPDATE stack SET parent = id + 1 WHERE id > 6; UPDATE process SET parent = 1 - id");
        row("a stack of 200,000 frames",
            "DELETE FROM stack WHERE id > 5; WITH RECURSIVE n(i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM n WHERE i < "
            "200000)"
            " INSERT INTO stack SELECT i, CASE i WHEN 6 THEN 0 ELSE i - 1 END, 0 FROM n; UPDATE OR IGNORE heap SET "
            "stack = 199999");
        row("counts without bounds",
            "UPDATE heap SET allocations = 9223372036854775807, allocated_bytes = 9223372036854775807;"
            "UPDATE symbol SET line_count = 9223372036854775807, first_line = 0;"
            "UPDATE tick SET end_ns = 9223372036854775807 WHERE id = 3;"
            "UPDATE cpu SET samples = 9223372036854775807, period_ns = 9223372036854775807");
        row("texts for numbers",
            "UPDATE heap SET allocations = zeroblob(200000) WHERE stack < 20;"
            "UPDATE tick SET recorder_cpu_ns = 'x'");
        row("long texts",
            "UPDATE string SET text = hex(zeroblob(4000000)) WHERE id < 6;"
            "INSERT INTO session VALUES ('end_reason2', zeroblob(10000000))");
        row("many arguments",
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            " INSERT INTO argument SELECT i, 'x' FROM n");
        row("many keys",
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            " INSERT INTO session SELECT 'k' || i, i FROM n");
        row("many areas",
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            " INSERT OR IGNORE INTO area_tick SELECT 3, 0, 1, i, 1, 1, 1 FROM n");
        row("many losses of one kind",
            "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            " INSERT INTO loss SELECT i, 3, 0, NULL, 1, 'detail ' || i FROM n");
    }
    void survivesFilesMadeToHurt()
    {
        QFETCH(QByteArray, sql);
        readsInTime(changed(sql.constData()));
    }

    /// A text of 15 MiB needs a file of 15 MiB, unless its pages are shared: one chain of pages in a circle makes thousands of such texts of a
    /// small file.
    void survivesTextsThatShareTheirPages()
    {
        const std::string path
            = changed("DELETE FROM mark; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
                      " INSERT INTO mark SELECT i, i, 0, hex(zeroblob(3000)) FROM n");
        QFile file(QString::fromStdString(path));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QByteArray bytes = file.readAll();
        file.close();
        // A page of a chain begins with the number of the next: here, of itself.
        int circles = 0;
        for (qsizetype page = 4096; page + 4096 <= bytes.size(); page += 4096) {
            if (bytes.mid(page + 8, 64) != QByteArray(64, '0'))
                continue;
            const auto number = static_cast<quint32>(page / 4096 + 1);
            for (int i = 0; i < 4; ++i)
                bytes[page + i] = static_cast<char>(number >> (24 - 8 * i));
            ++circles;
        }
        QVERIFY(circles > 100);
        // A record of four columns: header length 7, id 0, when_ns and kind small, text of 6000 × 2 + 13; it becomes one of 15 MiB.
        int lengthened = 0;
        for (qsizetype at = 0; at + 12 < bytes.size(); ++at) {
            // Cell: payload length varint (3 bytes: 6000-ish), rowid, header.
            const auto byte = [&](qsizetype i) { return static_cast<unsigned char>(bytes[at + i]); };
            if (byte(0) == 0xae && (byte(1) & 0x80) == 0 && byte(2) < 0x80) {
                bytes[at] = static_cast<char>(0xff);
                ++lengthened;
            }
        }
        QVERIFY(lengthened > 10);
        readsInTime(write("circles", bytes));
    }
};

QTEST_APPLESS_MAIN(SessionFuzzTest)
#include "session_fuzz_test.moc"
