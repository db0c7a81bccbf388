// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/session_words.h"
#include "storage/database.h"
#include "storage/schema.h"
#include "storage/session_folder.h"
#include "tests/storage/sample_session.h"

#include <QElapsedTimer>
#include <QFile>
#include <QtEndian>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

using namespace model;

namespace {

/// A rollback journal without pages that ends with the name of a super-journal (https://www.sqlite.org/fileformat.html, section 3).
QByteArray journalNaming(const std::string &file, std::uint32_t pages)
{
    const QByteArray magic = QByteArray::fromHex("d9d505f920a163d7");
    const auto word = [](std::uint32_t value) {
        QByteArray bytes(4, '\0');
        qToBigEndian(value, bytes.data());
        return bytes;
    };
    std::uint32_t sum = 0;
    for (const char c : file)
        sum += static_cast<unsigned char>(c);
    QByteArray header = magic + word(0) + word(1) + word(pages) + word(512) + word(4096);
    header.append(512 - header.size(), '\0');
    const std::uint32_t lockPage = 0x40000000 / 4096 + 1;
    return header + word(lockPage) + QByteArray::fromStdString(file) + word(static_cast<std::uint32_t>(file.size()))
        + word(sum) + magic;
}

/// Follows every id of a snapshot, as pages and reports do; a bad one crashes or throws here.
std::int64_t followAllIds(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < tables.stacks.size(); ++i) {
        const StackId stack(i);
        sum += static_cast<int>(tables.endOf(stack));
        if (isRoot(stack))
            continue;
        if (tables.stacks[i].parent.index() >= i)
            qFatal("a parent does not precede its child");
        const Frame &frame = tables.frames.at(tables.stacks[i].frame.index());
        const Module &module = tables.modules.at(frame.module.index());
        sum += static_cast<std::int64_t>(tables.text(module.path).size() + tables.text(module.buildId).size());
        for (const SourceLine &line : tables.linesOf(tables.stacks[i].frame))
            sum += static_cast<std::int64_t>(tables.text(line.function).size() + tables.text(line.file).size());
    }
    for (const Image &image : tables.images)
        sum += tables.processes.at(image.process.index()).pid + static_cast<int>(tables.text(image.executable).size())
            + static_cast<int>(tables.text(image.heapNote).size());
    for (const Thread &thread : tables.threads)
        sum += tables.processes.at(thread.process.index()).pid + static_cast<int>(tables.text(thread.name).size());
    for (const HeapCost &cost : snapshot.heap)
        sum += static_cast<int>(tables.endOf(cost.stack)) + tables.images.at(cost.image.index()).epoch;
    for (const CpuCost &cost : snapshot.cpu)
        sum += static_cast<int>(tables.endOf(cost.stack)) + tables.threads.at(cost.thread.index()).tid;
    return sum;
}

/// Opens and reads everything; an error must be a sentence with the path in it.
bool readsOrSaysWhy(
    const std::string &path, std::string *why = nullptr, std::shared_ptr<const Snapshot> *whole = nullptr)
{
    auto reader = storage::SessionReader::open(path);
    const auto explain = [&](const Error &error) {
        if (why)
            *why = error.text();
        if (error.text().find(path) == std::string::npos)
            qFatal("an error without its file: %s", error.text().c_str());
        return false;
    };
    if (!reader)
        return explain(reader.error());
    const Selection window{.time = TimeRange{{3'000'000'000}, {9'000'000'000}}};
    for (const Selection &selection : {Selection{}, window}) {
        const auto snapshot = reader->snapshot(selection);
        if (!snapshot)
            return explain(snapshot.error());
        followAllIds(**snapshot);
        if (whole && !selection.time)
            *whole = *snapshot;
    }
    return true;
}

} // namespace

class SessionDamageTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    QByteArray m_good;

    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    std::string write(const char *name, const QByteArray &bytes) const
    {
        QFile out(m_folder.filePath(QString::fromUtf8(name)));
        if (!out.open(QIODevice::WriteOnly | QIODevice::Truncate) || out.write(bytes) != bytes.size())
            qFatal("cannot write");
        return file(name);
    }

    /// A copy of the good session, changed by SQL.
    std::string changed(const char *name, const char *sql) const
    {
        const std::string path = write(name, m_good);
        auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
        if (const auto done = database->execute(sql); !done)
            qFatal("%s", done.error().text().c_str());
        return path;
    }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("good"), 30, 60));
        QFile good(m_folder.filePath(QStringLiteral("good")));
        QVERIFY(good.open(QIODevice::ReadOnly));
        m_good = good.readAll();
    }

    void saysWhatIsWrong_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char *name, const std::string &path, const char *expected) {
            QTest::newRow(name) << QByteArray(path.c_str()) << QByteArray(expected);
        };
        row("missing", file("missing"), "there is no such file; check the name");
        row("folder", m_folder.path().toStdString(), "it is a folder; name the .gprof-session file in it");
        row("empty", write("empty", {}), "it is empty");
        row("short", write("short", "SQLite format 3"), "was cut off after 15 bytes");
        row("text", write("text", QByteArray(5000, 'x')), "it is not a session (no SQLite file)");
        const std::string fifo = file("fifo");
        QCOMPARE(::mkfifo(fifo.c_str(), 0600), 0);
        row("fifo", fifo, "it is not a regular file");
        {
            auto other = storage::Database::open(write("other", {}), storage::OpenMode::ReadWrite);
            VERIFY_RESULT(other->execute("CREATE TABLE t (x)"));
        }
        row("another database", file("other"), "it is a SQLite file, but no session");
        row("newer", changed("newer", "PRAGMA user_version=99"),
            QByteArray("format 99, this program reads up to ") + QByteArray::number(storage::schemaVersion())
                + "); update");
        row("not begun", changed("unbegun", "PRAGMA user_version=0"), "was cut off before it began");
    }
    void saysWhatIsWrong()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, expected);
        std::string why;
        QVERIFY(!readsOrSaysWhy(path.toStdString(), &why));
        QVERIFY2(why.find(expected.toStdString()) != std::string::npos, why.c_str());
    }

    void showsWhatIsWholeInAFileThatWasCutOff()
    {
        std::mt19937 random(11);
        int shown = 0, cuts = 0;
        const auto cut = [&](qsizetype bytes) {
            const std::string path = write("cut", m_good.left(bytes));
            std::shared_ptr<const Snapshot> snapshot;
            ++cuts;
            if (!readsOrSaysWhy(path, nullptr, &snapshot))
                return;
            ++shown;
            QVERIFY2(!snapshot->damage.empty(), qPrintable(QString::number(bytes)));
        };
        for (qsizetype page = 0; page < m_good.size(); page += 4096) {
            cut(page);
            // One sentence a cause, however many tables it met.
            std::shared_ptr<const Snapshot> snapshot;
            if (readsOrSaysWhy(write("cut", m_good.left(page)), nullptr, &snapshot))
                QVERIFY2(
                    std::count(snapshot->damage.begin(), snapshot->damage.end(), '.') <= 5, snapshot->damage.c_str());
        }
        for (int i = 0; i < 40; ++i)
            cut(static_cast<qsizetype>(random() % static_cast<unsigned>(m_good.size())));
        QVERIFY2(shown > cuts / 2, qPrintable(QStringLiteral("%1 of %2").arg(shown).arg(cuts)));
        // The last page lost: nearly all is there.
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY(readsOrSaysWhy(write("cut", m_good.left(m_good.size() - 4096)), nullptr, &snapshot));
        QCOMPARE(snapshot->info.config.command.size(), std::size_t{4});
        QCOMPARE(snapshot->tickEnds.size(), std::size_t{30});
        QCOMPARE(snapshot->metrics.at(0).times.size(), std::size_t{30});
    }

    void tellsWhereNothingIsLeft()
    {
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY(readsOrSaysWhy(write("lost", m_good), nullptr, &snapshot));
        QVERIFY(!isAllLost(*snapshot));
        QVERIFY(readsOrSaysWhy(write("lost", m_good.left(m_good.size() - 4096)), nullptr, &snapshot));
        QVERIFY(!isAllLost(*snapshot));
        for (const qsizetype whole : {100, 4096}) {
            const QByteArray zeroed = m_good.left(whole) + QByteArray(m_good.size() - whole, '\0');
            QVERIFY(readsOrSaysWhy(write("lost", zeroed), nullptr, &snapshot));
            QVERIFY2(isAllLost(*snapshot), qPrintable(QString::number(whole)));
            QVERIFY(readsOrSaysWhy(write("lost", m_good.left(whole)), nullptr, &snapshot));
            QVERIFY2(isAllLost(*snapshot), qPrintable(QString::number(whole)));
        }
    }

    void survivesFlippedBits()
    {
        std::mt19937 random(5);
        QElapsedTimer timer;
        for (int round = 0; round < 150; ++round) {
            QByteArray bytes = m_good;
            const unsigned flips = 1u << (random() % 8);
            for (unsigned i = 0; i < flips; ++i) {
                const auto at = static_cast<qsizetype>(random() % static_cast<unsigned>(bytes.size()));
                bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
            }
            timer.start();
            readsOrSaysWhy(write("flipped", bytes));
            QVERIFY(timer.elapsed() < 5000);
        }
    }

    void survivesOverwrittenPages()
    {
        std::mt19937 random(6);
        for (int round = 0; round < 60; ++round) {
            QByteArray bytes = m_good;
            const auto page
                = static_cast<qsizetype>(1 + random() % static_cast<unsigned>(bytes.size() / 4096 - 1)) * 4096;
            for (qsizetype i = 0; i < 4096; ++i)
                bytes[page + i] = static_cast<char>(round % 2 ? 0 : random());
            std::shared_ptr<const Snapshot> snapshot;
            if (readsOrSaysWhy(write("page", bytes), nullptr, &snapshot))
                QCOMPARE(snapshot->info.state, SessionState::Complete);
        }
    }

    void mendsImpossibleRows_data()
    {
        QTest::addColumn<QByteArray>("sql");
        QTest::newRow("cyclic parents") << QByteArray("UPDATE stack SET parent = id + 1 WHERE id > 6");
        QTest::newRow("its own parent") << QByteArray("UPDATE stack SET parent = id WHERE id > 6");
        QTest::newRow("huge id") << QByteArray("UPDATE string SET id = 4000000000 WHERE id = 5");
        QTest::newRow("negative id") << QByteArray("UPDATE frame SET id = -7 WHERE id = 2");
        QTest::newRow("frames of nowhere") << QByteArray("UPDATE frame SET module = 77");
        QTest::newRow("modules without names") << QByteArray("UPDATE module SET path = -1, kind = 200");
        QTest::newRow("symbols of nowhere") << QByteArray("UPDATE symbol SET first_line = 1 << 40");
        QTest::newRow("costs of nowhere") << QByteArray("UPDATE heap SET stack = stack + 123456 WHERE tick = 25");
        QTest::newRow("packed costs cut off") << QByteArray("UPDATE packed_cost SET data = substr(data, 1, 20)");
        QTest::newRow("packed costs of nothing")
            << QByteArray("UPDATE packed_cost SET data = x'ffffffffffffffffffffffff'");
        QTest::newRow("packed costs of enormous groups")
            << QByteArray("UPDATE packed_cost SET data = x'000000ffffffffffffff7f0101'");
        QTest::newRow("threads of nowhere") << QByteArray("UPDATE cpu SET thread = thread + 99 WHERE tick = 25");
        QTest::newRow("processes of nowhere") << QByteArray("UPDATE image SET process = 50");
        QTest::newRow("sizes out of range") << QByteArray("UPDATE heap_size SET bin = bin + 9999");
        QTest::newRow("time backwards") << QByteArray("UPDATE tick SET begin_ns = 5, end_ns = 1 WHERE id = 4");
        QTest::newRow("lost rows") << QByteArray(
            "DELETE FROM string WHERE id BETWEEN 3 AND 8; DELETE FROM line WHERE id = 4;"
            " DELETE FROM module; DELETE FROM stack WHERE id BETWEEN 10 AND 20");
        QTest::newRow("texts for numbers") << QByteArray("UPDATE stack SET parent = 'x'; UPDATE tick SET level = 'y'");
        QTest::newRow("a view for a table")
            << QByteArray("ALTER TABLE mark RENAME TO m; CREATE VIEW mark AS WITH RECURSIVE n(i) AS (SELECT 1 UNION "
                          "ALL SELECT i FROM n)"
                          " SELECT i AS id, 0 AS when_ns, 0 AS kind, '' AS text FROM n");
        QTest::newRow("a computed column") << QByteArray("ALTER TABLE mark ADD COLUMN boom AS (zeroblob(1000000000))");
        QTest::newRow("a missing table") << QByteArray("DROP TABLE heap");
    }
    void mendsImpossibleRows()
    {
        QFETCH(QByteArray, sql);
        std::string why;
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY2(readsOrSaysWhy(changed("mended", sql.constData()), &why, &snapshot), why.c_str());
        QVERIFY(!snapshot->damage.empty());
        QCOMPARE(snapshot->info.config.command.size(), std::size_t{4});
    }

    /// The first thread changed last: what is behind the damaged page must not be taken for known because of that.
    void readsOnBehindADamagedPageOfThreads()
    {
        constexpr int kThreads = 2000, kFirstTid = 0x5a1c0000;
        SampleSession sample;
        auto writer = sample.begin(file("threads"), 0);
        VERIFY_RESULT(writer);
        for (int i = 0; i < kThreads; ++i) {
            sample.tables().addThread({.process = sample.process(), .tid = kFirstTid + i, .name = StringId(0u)});
            if (i % 100 == 0)
                VERIFY_RESULT(writer->write(sample.batch(i / 100), sample.tables()));
        }
        sample.tables().changeThread(sample.thread()).end = Timestamp{5};
        VERIFY_RESULT(writer->write(sample.batch(kThreads / 100), sample.tables()));
        VERIFY_RESULT(writer->finish(sample.info()));
        QFile in(m_folder.filePath(QStringLiteral("threads")));
        QVERIFY(in.open(QIODevice::ReadOnly));
        QByteArray bytes = in.readAll();
        const qsizetype row = bytes.indexOf(QByteArray::fromHex("5a1c0100")); // the tid of thread 256
        QVERIFY(row > 4096);
        bytes.replace(row / 4096 * 4096, 8, QByteArray(8, '\0'));
        std::shared_ptr<const Snapshot> snapshot;
        std::string why;
        QVERIFY2(readsOrSaysWhy(write("threads", bytes), &why, &snapshot), why.c_str());
        QVERIFY2(snapshot->damage.find("thread") != std::string::npos, snapshot->damage.c_str());
        const auto &threads = snapshot->tables->threads;
        const auto known = std::count_if(
            threads.begin(), threads.end(), [](const Thread &thread) { return thread.tid >= kFirstTid; });
        QVERIFY2(known > kThreads - 600 && known < kThreads, std::to_string(known).c_str());
        QCOMPARE(threads.back().tid, kFirstTid + kThreads - 1);
    }

    void doesNotOverflowOnEnormousCounts()
    {
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY(readsOrSaysWhy(
            changed("sums",
                "UPDATE heap SET allocations = 9223372036854775807, allocated_bytes = 9223372036854775807;"
                "UPDATE heap_tick SET live_bytes = 9223372036854775807, allocations = 9223372036854775807;"
                "UPDATE cpu SET samples = 9223372036854775807; UPDATE loss SET count = 9223372036854775807"),
            nullptr, &snapshot));
        QCOMPARE(snapshot->heapSummary.allocations, std::numeric_limits<std::int64_t>::max());
    }

    void cutsStacksOfAbsurdDepth()
    {
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY(readsOrSaysWhy(
            changed("deep",
                "DELETE FROM stack WHERE id > 5; WITH RECURSIVE n(i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM n"
                " WHERE i < 60000) INSERT INTO stack SELECT i, CASE i WHEN 6 THEN 0 ELSE i - 1 END, 0 FROM n"),
            nullptr, &snapshot));
        QVERIFY(snapshot->damage.find("stack") != std::string::npos);
    }

    void deletesNothingThatAJournalNames()
    {
        const QString victim = QString::fromStdString(file("victim"));
        const auto craft = [&] {
            write("victim", "mine");
            write("crafted-journal",
                journalNaming(victim.toStdString(), static_cast<std::uint32_t>(m_good.size() / 4096)));
            return write("crafted", m_good);
        };
        // The journal is what it is feared to be: SQLite by itself deletes the file.
        const std::string path = craft();
        sqlite3 *plain = nullptr;
        QCOMPARE(sqlite3_open(path.c_str(), &plain), SQLITE_OK);
        QCOMPARE(sqlite3_exec(plain, "SELECT count(*) FROM session", nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(plain);
        QVERIFY(!QFile::exists(victim));
        craft();
        std::string why;
        static_cast<void>(readsOrSaysWhy(path, &why));
        static_cast<void>(storage::describeSession(path));
        const auto changed = storage::changeEntry(path, {.addedTags = {"x"}});
        QVERIFY(!changed && changed.error().text().find("-journal") != std::string::npos);
        QVERIFY(QFile::exists(victim));
    }

    void runsNothingThatAFileBrings()
    {
        // A trigger or a view of the file's own is neither run nor in the way.
        std::shared_ptr<const Snapshot> snapshot;
        QVERIFY(readsOrSaysWhy(changed("brings",
                                   "CREATE TRIGGER t AFTER INSERT ON heap BEGIN SELECT 1; END;"
                                   "CREATE VIEW mine AS SELECT load_extension('x');"
                                   "CREATE INDEX more ON stack (frame)"),
            nullptr, &snapshot));
        QCOMPARE(snapshot->damage, std::string());
    }
};

QTEST_APPLESS_MAIN(SessionDamageTest)
#include "session_damage_test.moc"
