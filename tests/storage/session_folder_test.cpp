// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "storage/session_folder.h"
#include "tests/storage/sample_session.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <sys/stat.h>
#include <unistd.h>

using namespace model;

class SessionFolderTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

private Q_SLOTS:
    void initTestCase()
    {
        SampleSession first, second;
        VERIFY_RESULT(first.make(file("a.gprof-session"), 3));
        second.info().startWallNs += 1000;
        second.info().config.command = {"/usr/bin/other"};
        VERIFY_RESULT(second.make(file("b.gprof-session"), 5));
    }

    void describesTheSessionsOfAFolder()
    {
        QFile broken(m_folder.filePath(QStringLiteral("broken.gprof-session")));
        QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("nothing") == 7);
        broken.close();
        SampleSession sample;
        sample.info().startWallNs += 5000;
        auto writer = sample.begin(file("live.gprof-session"), 2);
        const auto entries = storage::sessionsIn(m_folder.path().toStdString(), storage::FolderFiles::Named);
        VERIFY_RESULT(entries);
        QCOMPARE(entries->size(), std::size_t{4});
        QVERIFY(!entries->at(0).problem.empty()); // its own time is not known: that of the file, which is the newest
        QCOMPARE(entries->at(1).state, SessionState::Recording);
        const SessionEntry &session = entries->at(2);
        QCOMPARE(session.path, file("b.gprof-session"));
        QCOMPARE(session.command, std::string("/usr/bin/other"));
        QCOMPARE(session.state, SessionState::Complete);
        QCOMPARE(session.buildId, std::string("ab12"));
        QCOMPARE(session.host, std::string("host"));
        QCOMPARE(session.duration.ns, std::int64_t{5'000'000'000});
        QVERIFY(session.fileBytes > 0 && session.tags.empty() && session.note.empty());
        QVERIFY(!storage::sessionsIn(file("no folder"), storage::FolderFiles::Named));
        const auto live = storage::changeEntry(file("live.gprof-session"), {.addedTags = {"x"}});
        QVERIFY(!live && live.error().text().find("is being recorded") != std::string::npos);
        QVERIFY(!storage::removeSession(file("live.gprof-session")));
        broken.remove();
        VERIFY_RESULT(writer->finish(sample.info()));
    }

    void namesWhatWasAttachedTo()
    {
        const QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("attached")).toStdString();
        SampleSession sample;
        sample.info().config.command.clear();
        sample.info().config.attachPid = 77;
        VERIFY_RESULT(sample.make(path, 3));
        QCOMPARE(storage::describeSession(path).command, std::string("demo --name (pid 77)"));
    }

    void findsSessionsOfAnyName()
    {
        const QTemporaryDir folder;
        const auto path
            = [&folder](const char *name) { return folder.filePath(QString::fromUtf8(name)).toStdString(); };
        SampleSession finished, running;
        VERIFY_RESULT(finished.make(path("nightly"), 3));
        running.info().startWallNs += 5000;
        auto writer = running.begin(path("now.db"), 2);
        QFile other(folder.filePath(QStringLiteral("notes.txt")));
        QVERIFY(other.open(QIODevice::WriteOnly) && other.write("nothing") == 7);
        auto database = storage::Database::open(path("other.db"), storage::OpenMode::ReadWriteCreate);
        VERIFY_RESULT(database);
        VERIFY_RESULT(database->execute("CREATE TABLE t (a)"));
        const auto found = storage::sessionsIn(folder.path().toStdString(), storage::FolderFiles::AnySessions);
        VERIFY_RESULT(found);
        QCOMPARE(found->size(), std::size_t{2});
        QCOMPARE(found->at(0).path, path("now.db"));
        QCOMPARE(found->at(0).state, SessionState::Recording);
        QCOMPARE(found->at(1).path, path("nightly"));
        QVERIFY(found->at(1).problem.empty());
        // What removes many files goes by the name.
        const auto named = storage::sessionsIn(folder.path().toStdString(), storage::FolderFiles::Named);
        QVERIFY(named && named->empty());
        VERIFY_RESULT(writer->finish(running.info()));
    }

    void keepsTagsAndNotesInTheSession()
    {
        const std::string path = file("a.gprof-session");
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"slow", "nightly"}, .note = "first try"}));
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"big", "slow"}, .removedTags = {"nightly"}}));
        SessionEntry entry = storage::describeSession(path);
        QCOMPARE(entry.tags, (std::vector<std::string>{"big", "slow"}));
        QCOMPARE(entry.note, std::string("first try"));
        VERIFY_RESULT(storage::changeEntry(path, {.note = ""}));
        QVERIFY(storage::describeSession(path).note.empty());
        // Advice that was followed stands beside them.
        const std::string done = "{\"id\":\"rule|app|" + std::string(5000, 'f') + "\"}\n";
        QCOMPARE(*storage::doneAdviceIn(path), std::string());
        VERIFY_RESULT(storage::changeEntry(path, {.doneAdvice = done}));
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"slow"}}));
        QCOMPARE(*storage::doneAdviceIn(path), done);
        VERIFY_RESULT(storage::changeEntry(path, {.doneAdvice = ""}));
        QCOMPARE(*storage::doneAdviceIn(path), std::string());
        QVERIFY(!storage::doneAdviceIn(path + ".absent"));
        VERIFY_RESULT(storage::changeEntry(path, {.addedVerdicts = {"leaks: nothing found", "two\nlines"}}));
        VERIFY_RESULT(storage::changeEntry(path, {.addedVerdicts = {"stable"}}));
        entry = storage::describeSession(path);
        QCOMPARE(entry.verdicts,
            (std::vector<std::string>{"leaks: nothing found", "two", "lines", "stable", "soak: no verdict yet"}));
        QCOMPARE(model::chiefVerdict(entry), std::string("soak: no verdict yet"));
        QCOMPARE(entry.tags, (std::vector<std::string>{"big", "slow"}));
        QVERIFY(model::matches(entry, "STABLE"));
        VERIFY_RESULT(storage::changeEntry(path, {.addedVerdicts = std::vector<std::string>(30, "v")}));
        std::vector<std::string> kept(20, "v");
        kept.emplace_back("soak: no verdict yet"); // which the session says elsewhere
        QCOMPARE(storage::describeSession(path).verdicts, kept);
        {
            auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database->execute("UPDATE soak SET outcome = 4"));
        }
        QCOMPARE(storage::describeSession(path).verdicts.back(), std::string("soak: target failed"));
        {
            auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database->execute("UPDATE soak SET outcome = 99"));
        }
        QCOMPARE(storage::describeSession(path).verdicts.back(), std::string("v"));
        {
            auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database->execute("UPDATE soak SET outcome = 0"));
        }
        // It is the same session all the same.
        auto reader = storage::SessionReader::open(path);
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
        QVERIFY(!QFile::exists(QString::fromStdString(path + "-journal")));
        for (const char *bad : {"", "a,b", "a\nb"})
            QVERIFY(!storage::changeEntry(path, {.addedTags = {bad}}));
        QVERIFY(!storage::changeEntry(path, {.note = std::string(5000, 'x')}));
    }

    void doesNotMakeAnUnfinishedSessionLookDamaged()
    {
        SampleSession sample;
        const std::string path = file("killed.gprof-session");
        {
            auto writer = sample.begin(path, 3);
            VERIFY_RESULT(writer);
        }
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"x"}}));
        auto reader = storage::SessionReader::open(path);
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{3});
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
    }

    void leavesAnOldVersionAtItsVersion()
    {
        const QString golden
            = qEnvironmentVariable("GENESIS_SOURCE_DIR") + QStringLiteral("/tests/golden/session_v1.gprof-session");
        QVERIFY(QFile::copy(golden, m_folder.filePath(QStringLiteral("old.gprof-session"))));
        const std::string path = file("old.gprof-session");
        QVERIFY(QFile::setPermissions(QString::fromStdString(path), QFile::ReadOwner | QFile::WriteOwner));
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"x"}}));
        auto database = storage::Database::open(path, storage::OpenMode::ReadOnly);
        QCOMPARE(*database->integer("PRAGMA user_version"), std::int64_t{1});
        QCOMPARE(storage::describeSession(path).tags.size(), std::size_t{1});
    }

    void runsNoTriggerOfTheFile()
    {
        const std::string path = file("b.gprof-session");
        {
            auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database->execute("CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM heap; END"));
        }
        VERIFY_RESULT(storage::changeEntry(path, {.addedTags = {"x"}}));
        auto database = storage::Database::open(path, storage::OpenMode::ReadOnly);
        QVERIFY(*database->integer("SELECT count(*) FROM heap") > 0);
    }

    void sealsTheTagsOfASealedSession()
    {
        const auto key = storage::SealKey::make(storage::SecretText::of("p"), {1, 1 << 20});
        SampleSession sample;
        {
            auto writer = storage::SessionWriter::create(file("s.gprof-session"), sample.info(), *key);
            sample.info().state = SessionState::Complete;
            VERIFY_RESULT(writer->finish(sample.info()));
        }
        VERIFY_RESULT(storage::changeEntry(file("s.gprof-session"), {.addedTags = {"zebra"}}, *key));
        QFile bytes(m_folder.filePath(QStringLiteral("s.gprof-session")));
        QVERIFY(bytes.open(QIODevice::ReadOnly) && !bytes.readAll().contains("zebra"));
        QCOMPARE(storage::describeSession(file("s.gprof-session"), *key).tags.size(), std::size_t{1});
        const SessionEntry blind = storage::describeSession(file("s.gprof-session"));
        QVERIFY(blind.isSealed && blind.problem.empty() && blind.tags.empty());
        QCOMPARE(blind.command, std::string("(sealed)"));
        QCOMPARE(blind.state, SessionState::Complete);
    }

    /// A sealed file has no journal on disk, so nothing may be written into it: whoever is killed meanwhile would leave it torn.
    void changesASealedSessionInOneStep()
    {
        const auto key = storage::SealKey::make(storage::SecretText::of("p"), {1, 1 << 20});
        SampleSession sample;
        const QString path = m_folder.filePath(QStringLiteral("step.gprof-session"));
        const QString before = m_folder.filePath(QStringLiteral("before.gprof-session"));
        const QString link = m_folder.filePath(QStringLiteral("link.gprof-session"));
        {
            auto writer = storage::SessionWriter::create(path.toStdString(), sample.info(), *key);
            sample.info().state = SessionState::Complete;
            VERIFY_RESULT(writer->finish(sample.info()));
        }
        QCOMPARE(::chmod(path.toStdString().c_str(), 0640), 0);
        QCOMPARE(::link(path.toStdString().c_str(), before.toStdString().c_str()), 0);
        QVERIFY(QFile::link(path, link));
        const auto bytesOf = [](const QString &name) {
            QFile file(name);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        const QByteArray bytes = bytesOf(path);
        const QStringList files = QDir(m_folder.path()).entryList(QDir::Files | QDir::Hidden);
        VERIFY_RESULT(storage::changeEntry(link.toStdString(), {.addedTags = {"keep"}}, *key));
        QVERIFY(bytesOf(before) == bytes && bytesOf(path) != bytes);
        QCOMPARE(storage::describeSession(path.toStdString(), *key).tags, std::vector<std::string>{"keep"});
        QVERIFY(QFileInfo(link).isSymLink());
        struct stat status = {};
        QCOMPARE(::stat(path.toStdString().c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0640);
        QCOMPARE(QDir(m_folder.path()).entryList(QDir::Files | QDir::Hidden), files);
        // One that its recorder left unfinished too, with what stands in its log.
        auto writer = storage::SessionWriter::create(file("dying"), sample.info(), *key);
        for (int i = 0; i < 5; ++i)
            VERIFY_RESULT(writer->write(sample.batch(i), sample.tables()));
        for (const char *suffix : {"", "-wal"})
            QVERIFY(QFile::copy(
                QString::fromStdString(file("dying") + suffix), QString::fromStdString(file("dead") + suffix)));
        VERIFY_RESULT(storage::changeEntry(file("dead"), {.addedTags = {"crash"}}, *key));
        const SessionEntry dead = storage::describeSession(file("dead"), *key);
        QCOMPARE(dead.tags, std::vector<std::string>{"crash"});
        auto reader = storage::SessionReader::open(file("dead"), *key);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{5});
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
    }

    void removesFinishedSessionsAlone()
    {
        QVERIFY(QFile::copy(m_folder.filePath(QStringLiteral("a.gprof-session")),
            m_folder.filePath(QStringLiteral("r.gprof-session"))));
        QFile log(m_folder.filePath(QStringLiteral("r.gprof-session-wal")));
        QVERIFY(log.open(QIODevice::WriteOnly) && log.write("x") == 1);
        log.close();
        QVERIFY(!storage::removeSession(file("r.gprof-session")));
        log.remove();
        VERIFY_RESULT(storage::removeSession(file("r.gprof-session")));
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("r.gprof-session"))));
    }
};

QTEST_APPLESS_MAIN(SessionFolderTest)
#include "session_folder_test.moc"
