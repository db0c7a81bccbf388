// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "storage/session_catalog.h"
#include "tests/storage/sample_session.h"

#include <QFile>

#include <sys/stat.h>

using namespace model;

class SessionCatalogTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string folder(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

private Q_SLOTS:
    void listsTheNewestFirst()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(folder("there"), 1));
        auto catalog = storage::SessionCatalog::open(folder("a/b"));
        VERIFY_RESULT(catalog);
        sample.info().duration = Duration::fromMs(1500);
        VERIFY_RESULT(catalog->remember(folder("there"), sample.info(), 10));
        sample.info().config.attachPid = 77;
        using Secrecy = storage::SessionCatalog::Secrecy;
        VERIFY_RESULT(catalog->remember(folder("named"), sample.info(), 15, Secrecy::Plain, "./server -D"));
        QCOMPARE(catalog->recent()->at(0).command, std::string("./server -D (pid 77)"));
        VERIFY_RESULT(catalog->remember(folder("named"), sample.info(), 16, Secrecy::Sealed, "./server -D"));
        QCOMPARE(catalog->recent()->at(0).command, std::string("(sealed)"));
        VERIFY_RESULT(catalog->forget(folder("named")));
        VERIFY_RESULT(catalog->remember(folder("gone"), sample.info(), 20));
        auto other = storage::SessionCatalog::open(folder("a/b"));
        auto sessions = other->recent();
        VERIFY_RESULT(sessions);
        QCOMPARE(sessions->size(), std::size_t{2});
        QCOMPARE(sessions->at(0).command, std::string("pid 77"));
        QVERIFY(!sessions->at(0).isThere);
        QCOMPARE(sessions->at(1).path, folder("there"));
        QCOMPARE(sessions->at(1).command, std::string("/usr/bin/demo --name two words "));
        QCOMPARE(sessions->at(1).duration.ns, std::int64_t{1'500'000'000});
        QVERIFY(sessions->at(1).isThere && sessions->at(1).fileBytes > 0);
        VERIFY_RESULT(other->remember(folder("there"), sample.info(), 30));
        VERIFY_RESULT(other->forget(folder("gone")));
        sessions = catalog->recent();
        QCOMPARE(sessions->size(), std::size_t{1});
        QCOMPARE(sessions->at(0).usedWallNs, std::int64_t{30});
        struct stat status = {};
        QCOMPARE(::stat((folder("a/b") + "/sessions.db").c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0600);
    }

    void keepsABoundedNumber()
    {
        auto catalog = storage::SessionCatalog::open(folder("many"));
        for (int i = 0; i < 10; ++i)
            VERIFY_RESULT(catalog->remember("/s/" + std::to_string(i), {}, i));
        QCOMPARE(catalog->recent(3)->size(), std::size_t{3});
        QCOMPARE(catalog->recent(3)->at(0).path, std::string("/s/9"));
    }

    void beginsAnewWhenItIsDamaged()
    {
        QVERIFY(QDir().mkpath(m_folder.filePath(QStringLiteral("bad"))));
        QFile file(m_folder.filePath(QStringLiteral("bad/sessions.db")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(9000, 'x'));
        file.close();
        auto catalog = storage::SessionCatalog::open(folder("bad"));
        VERIFY_RESULT(catalog);
        VERIFY_RESULT(catalog->remember("/s/1", {}, 1));
        QVERIFY(QFile::exists(m_folder.filePath(QStringLiteral("bad/sessions.db.damaged"))));
    }

    void keepsAnOlderDamagedOne()
    {
        QVERIFY(QDir().mkpath(m_folder.filePath(QStringLiteral("twice"))));
        for (const char *content : {"first", "second"}) {
            QFile file(m_folder.filePath(QStringLiteral("twice/sessions.db")));
            QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
            file.write(QByteArray(content).repeated(2000));
            file.close();
            VERIFY_RESULT(storage::SessionCatalog::open(folder("twice")));
        }
        for (const auto &[name, content] :
            {std::pair{"twice/sessions.db.damaged", "first"}, std::pair{"twice/sessions.db.damaged.2", "second"}}) {
            QFile file(m_folder.filePath(QString::fromUtf8(name)));
            QVERIFY2(file.open(QIODevice::ReadOnly) && file.readAll().startsWith(content), name);
        }
    }

    /// What is busy, unreadable for this user or of another version is no damage: the list stays where it is.
    void leavesAListAloneThatItCannotUse()
    {
        QVERIFY(QDir().mkpath(m_folder.filePath(QStringLiteral("folder/sessions.db"))));
        const auto folderInTheWay = storage::SessionCatalog::open(folder("folder"));
        QVERIFY2(!folderInTheWay && folderInTheWay.error().text().find("sessions.db") != std::string::npos,
            folderInTheWay ? "" : folderInTheWay.error().text().c_str());
        QVERIFY(QDir(m_folder.filePath(QStringLiteral("folder/sessions.db"))).exists());
        QVERIFY(QDir().mkpath(m_folder.filePath(QStringLiteral("other"))));
        {
            auto other = storage::Database::open(folder("other") + "/sessions.db", storage::OpenMode::ReadWriteCreate);
            VERIFY_RESULT(other->execute("CREATE TABLE recent (place TEXT); INSERT INTO recent VALUES ('kept')"));
        }
        QVERIFY(!storage::SessionCatalog::open(folder("other")));
        auto other = storage::Database::open(folder("other") + "/sessions.db", storage::OpenMode::ReadOnly);
        QCOMPARE(*other->integer("SELECT count(*) FROM recent"), std::int64_t{1});
    }

    void standsBelowTheStateFolder()
    {
        qputenv("XDG_STATE_HOME", "/x/state");
        QCOMPARE(*storage::SessionCatalog::defaultFolder(), std::string("/x/state/genesis-profiler"));
        qputenv("XDG_STATE_HOME", "relative");
        qputenv("HOME", "/home/u");
        QCOMPARE(*storage::SessionCatalog::defaultFolder(), std::string("/home/u/.local/state/genesis-profiler"));
    }
};

QTEST_APPLESS_MAIN(SessionCatalogTest)
#include "session_catalog_test.moc"
