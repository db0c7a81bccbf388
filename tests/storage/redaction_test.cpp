// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/unseen_libraries.h"
#include "storage/database.h"
#include "storage/redaction.h"
#include "tests/storage/sample_session.h"

#include <QFile>

#include <sys/stat.h>

using namespace model;

class RedactionTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    QByteArray bytesOf(const char *name) const
    {
        QFile in(m_folder.filePath(QString::fromUtf8(name)));
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
    }

    static std::string one(storage::Database &database, const char *sql)
    {
        auto rows = database.prepare(sql);
        return rows && *rows->step() ? std::string(rows->text(0)) : std::string("nothing");
    }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession sample;
        sample.info().config.workingDirectory = "/srv/zebra-project";
        sample.info().cpuNote = "not readable: /srv/zebra-project/x";
        // A public library, whose functions stay.
        TableBuilder &tables = sample.tables();
        const ModuleId libc = tables.module("/lib/x86_64-linux-gnu/libc.so.6", "c0ffee", ModuleKind::File);
        const FrameId frame = tables.frame(libc, 0x99, FrameKind::ReturnAddress);
        tables.setSymbols(frame, FrameSymbols::State::Resolved,
            {{tables.string("__libc_start_call_main"), tables.string("libc-start.c"), 5}});
        VERIFY_RESULT(sample.make(file("in"), 10));
        // Rows that were deleted, and texts where numbers belong, must not come along.
        auto database = storage::Database::open(file("in"), storage::OpenMode::ReadWrite);
        VERIFY_RESULT(
            database->execute("PRAGMA secure_delete=OFF;"
                              "INSERT INTO mark (id, when_ns, kind, text) VALUES (900, 1, 0, 'zebra-deleted');"
                              "DELETE FROM mark WHERE id = 900;"
                              "UPDATE frame SET address = 'zebra-address' WHERE id = 1"));
        QVERIFY(bytesOf("in").contains("zebra-deleted"));
    }

    void hidesNotesThatNameALibraryOfNoTable()
    {
        SampleSession sample;
        sample.info().cpuNote = "libzebra.so.3, opened by dlmopen";
        sample.info().activityNote = "not in libc.so.6";
        VERIFY_RESULT(sample.make(file("libraries"), 10));
        VERIFY_RESULT(storage::redactSession(file("libraries"), file("libraries.out"), {}));
        QVERIFY(!bytesOf("libraries.out").contains("libzebra"));
        QVERIFY(bytesOf("libraries.out").contains("not in libc.so.6"));
    }

    void hidesNotesOfWhatTheProgramOpenedWhateverItsName()
    {
        SampleSession sample;
        sample.info().cpuNote = std::string("quagga.node, okapi").append(model::kOpenedInNamespace);
        sample.info().activityNote = std::string("it is so; gnu").append(model::kOpenedDeepBinding);
        VERIFY_RESULT(sample.make(file("opened"), 10));
        VERIFY_RESULT(storage::redactSession(file("opened"), file("opened.out"), {}));
        for (const char *secret : {"quagga", "okapi", "gnu,"})
            QVERIFY2(!bytesOf("opened.out").contains(secret), secret);
    }

    void leavesNothingOfTheOldTexts()
    {
        const auto done = storage::redactSession(file("in"), file("out"), {});
        VERIFY_RESULT(done);
        QVERIFY(done->texts > 20);
        const QByteArray bytes = bytesOf("out");
        // What is a part of public words, such as the host's name, stands with what would surround it.
        for (const char *secret : {"zebra", "/usr/bin/demo", "demo", "two words", "/srv", "worker", "leaf1", "inlined2",
                 "demo.cpp", "arena", "phase 3", "mark 4", "/run/user", "ab12", "/usr/bin/static"})
            QVERIFY2(!bytes.contains(secret), secret);
        auto database = storage::Database::open(file("out"), storage::OpenMode::ReadOnly);
        QCOMPARE(one(*database, "SELECT value FROM session WHERE key = 'host'"), std::string("host-1"));
        QCOMPARE(one(*database, "SELECT count(*) FROM string WHERE text IN ('host', 'static')"), std::string("0"));
        for (const char *kept : {"__libc_start_call_main", "libc-start.c", "/lib/x86_64-linux-gnu/libc.so.6", "c0ffee",
                 "anonymous", "it is statically linked", "Linux 6.1.0 x86_64", "host-1"})
            QVERIFY2(bytes.contains(kept), kept);
        struct stat status = {};
        QCOMPARE(::stat(file("out").c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0600);
    }

    void keepsEveryNumber()
    {
        if (!QFile::exists(m_folder.filePath(QStringLiteral("out"))))
            VERIFY_RESULT(storage::redactSession(file("in"), file("out"), {}));
        auto before = storage::SessionReader::open(file("in"));
        auto after = storage::SessionReader::open(file("out"));
        VERIFY_RESULT(after);
        const auto a = *before->snapshot({}), b = *after->snapshot({});
        QCOMPARE(b->damage, std::string());
        QCOMPARE(b->heapSummary.allocations, a->heapSummary.allocations);
        QCOMPARE(b->heap.size(), a->heap.size());
        QCOMPARE(b->cpuSummary.samples, a->cpuSummary.samples);
        QCOMPARE(b->tables->stacks.size(), a->tables->stacks.size());
        QCOMPARE(b->info.config.command.size(), a->info.config.command.size());
        QCOMPARE(b->info.cpuNote, std::string("(hidden)"));
        QCOMPARE(b->info.endReason, a->info.endReason);
        // The same text is the same stand-in.
        const ProgramTables &tables = *b->tables;
        QCOMPARE(tables.text(tables.images.at(0).executable), tables.text(tables.modules.at(0).path));
        QVERIFY(tables.text(tables.threads.at(0).name) != tables.text(tables.threads.at(1).name));
    }

    void keepsFunctionsWhereThatIsWanted()
    {
        VERIFY_RESULT(storage::redactSession(file("in"), file("functions"), {.keepsFunctions = true}));
        const QByteArray bytes = bytesOf("functions");
        QVERIFY(bytes.contains("leaf1") && bytes.contains("inlined2") && bytes.contains("demo.cpp"));
        QVERIFY(!bytes.contains("/usr/bin/demo") && !bytes.contains("zebra") && !bytes.contains("worker"));
    }

    void saysOfTheCopyThatItIsOne()
    {
        const auto redactionOf = [](const std::string &path) {
            auto reader = storage::SessionReader::open(path);
            return reader ? (*reader->snapshot({}))->info.redaction : std::nullopt;
        };
        QVERIFY(!redactionOf(file("in")));
        const auto done = storage::redactSession(file("in"), file("told"), {.keepsFunctions = true});
        VERIFY_RESULT(done);
        const auto told = redactionOf(file("told"));
        QVERIFY(told && told->keepsFunctions);
        QCOMPARE(told->texts, done->texts);
        // A copy of the copy: what is gone now stays told, and what was gone before too.
        VERIFY_RESULT(storage::redactSession(file("told"), file("told twice"), {}));
        VERIFY_RESULT(storage::redactSession(file("told twice"), file("told thrice"), {.keepsFunctions = true}));
        QVERIFY(!redactionOf(file("told twice"))->keepsFunctions);
        QVERIFY(!redactionOf(file("told thrice"))->keepsFunctions);
        QVERIFY(redactionOf(file("told thrice"))->texts >= done->texts);
    }

    void doesTheSameEachTime()
    {
        VERIFY_RESULT(storage::redactSession(file("in"), file("first"), {}));
        VERIFY_RESULT(storage::redactSession(file("in"), file("second"), {}));
        auto first = storage::Database::open(file("first"), storage::OpenMode::ReadOnly);
        auto second = storage::Database::open(file("second"), storage::OpenMode::ReadOnly);
        const char *all = "SELECT group_concat(id || text, ';') FROM (SELECT id, text FROM string ORDER BY id)";
        QCOMPARE(one(*first, all), one(*second, all));
        QVERIFY(one(*first, "SELECT value FROM session WHERE key = 'uuid'")
            != one(*second, "SELECT value FROM session WHERE key = 'uuid'"));
    }

    void readsOldVersions()
    {
        const std::string folder = qgetenv("GENESIS_SOURCE_DIR").toStdString() + "/tests/golden/";
        for (const std::string name : {"session_v1", "session_v2"}) {
            VERIFY_RESULT(storage::redactSession(folder + name + ".gprof-session", file(name.c_str()), {}));
            QVERIFY(storage::SessionReader::open(file(name.c_str())));
            QVERIFY(!bytesOf(name.c_str()).contains("/usr/bin/demo"));
        }
    }

    void refusesWhatItCannotDoWhole()
    {
        const auto again = storage::redactSession(file("in"), file("in"), {});
        QVERIFY(!again && again.error().text().find("exists already") != std::string::npos);
        SampleSession sample;
        auto writer = sample.begin(file("live"), 2);
        const auto live = storage::redactSession(file("live"), file("never"), {});
        QVERIFY(!live && live.error().text().find("it is being recorded") != std::string::npos);
        const QByteArray bytes = bytesOf("in");
        QFile cut(m_folder.filePath(QStringLiteral("cut")));
        QVERIFY(cut.open(QIODevice::WriteOnly));
        cut.write(bytes.left(bytes.size() / 2));
        cut.close();
        QVERIFY(!storage::redactSession(file("cut"), file("never"), {}));
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("never"))));
    }
};

QTEST_APPLESS_MAIN(RedactionTest)
#include "redaction_test.moc"
