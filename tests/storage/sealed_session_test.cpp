// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "storage/seal/sealed_layout.h"
#include "storage/sealing.h"
#include "storage/sql_console.h"
#include "tests/storage/sample_session.h"

#include <QDir>
#include <QFile>

#include <sys/stat.h>

#include <sstream>
#include <thread>

using namespace model;
using storage::SealedLayout;
using storage::SealKey;
using storage::SealKeyPointer;
using storage::SecretText;

class SealedSessionTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    SealKeyPointer m_key;

    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    QByteArray bytesOf(const char *name) const
    {
        QFile in(m_folder.filePath(QString::fromUtf8(name)));
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
    }

    std::string write(const char *name, const QByteArray &bytes) const
    {
        QFile out(m_folder.filePath(QString::fromUtf8(name)));
        if (!out.open(QIODevice::WriteOnly | QIODevice::Truncate) || out.write(bytes) != bytes.size())
            qFatal("cannot write");
        return file(name);
    }

    /// Cheap, so that tests take no time for it.
    static SealKeyPointer cheapKey(const char *passphrase)
    {
        auto key = SealKey::make(SecretText::of(passphrase), {1, 1 << 20});
        if (!key)
            qFatal("%s", key.error().text().c_str());
        return *key;
    }

    /// Names of the files below the folder that hold `text`; with it the folder itself is searched.
    QStringList filesWith(const QByteArray &text) const
    {
        QStringList found;
        for (const QFileInfo &info : QDir(m_folder.path()).entryInfoList(QDir::Files))
            if (QFile in(info.filePath()); in.open(QIODevice::ReadOnly) && in.readAll().contains(text))
                found << info.fileName();
        return found;
    }

    /// Why it cannot be read, what is damaged of it, or nothing.
    static std::string troubleOf(const std::string &path, const SealKeyPointer &key)
    {
        auto reader = storage::SessionReader::open(path, key);
        if (!reader)
            return reader.error().text();
        const auto snapshot = reader->snapshot({});
        return snapshot ? (*snapshot)->damage : snapshot.error().text();
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_key = cheapKey("correct horse");
        SampleSession sample;
        sample.info().config.command = {"/usr/bin/demo", "--name", "zebra-secret"};
        VERIFY_RESULT(sample.make(file("plain"), 10));
        QVERIFY(bytesOf("plain").contains("zebra-secret"));
        VERIFY_RESULT(storage::sealSession(file("plain"), file("sealed"), m_key));
    }

    void mapsUnitsWithoutHolesOrOverlaps()
    {
        for (const auto kind : {SealedLayout::Kind::Main, SealedLayout::Kind::Log}) {
            const SealedLayout layout(kind);
            std::int64_t plain = 0, stored = kind == SealedLayout::Kind::Main ? 128 : 0;
            for (std::int64_t index = 0; index < 20; ++index) {
                const storage::SealedUnit unit = layout.at(plain);
                QCOMPARE(unit.index, index);
                QCOMPARE(unit.plain, plain);
                QCOMPARE(unit.stored, stored);
                QCOMPARE(layout.at(plain + unit.bytes - 1).index, index);
                plain += unit.bytes;
                stored += unit.bytes + storage::kUnitExtraBytes;
                QCOMPARE(layout.plainSize(stored), plain);
                QCOMPARE(layout.plainSize(stored - 1), plain);
                QCOMPARE(layout.storedSize(plain), stored);
                QCOMPARE(layout.storedSize(plain - 1), stored);
            }
        }
    }

    void readsBackWhatWasSealed()
    {
        QVERIFY(storage::isSealed(file("sealed")) && !storage::isSealed(file("plain")));
        QVERIFY(filesWith("zebra-secret") == QStringList{QStringLiteral("plain")});
        auto plain = storage::SessionReader::open(file("plain"));
        auto sealed = storage::SessionReader::open(file("sealed"), m_key);
        VERIFY_RESULT(sealed);
        const auto a = *plain->snapshot({}), b = *sealed->snapshot({});
        QCOMPARE(b->damage, std::string());
        QCOMPARE(b->heap.size(), a->heap.size());
        QCOMPARE(b->tables->strings, a->tables->strings);
        auto console = storage::SqlConsole::open(file("sealed"), m_key);
        VERIFY_RESULT(console);
        std::ostringstream out;
        VERIFY_RESULT(console->run("SELECT command FROM v_session", {}, *makeQueryWriter(QueryFormat::Csv, out, 0)));
        QVERIFY(out.str().find("zebra-secret") != std::string::npos);
        VERIFY_RESULT(storage::unsealSession(file("sealed"), file("unsealed"), m_key));
        // All but SQLite's own counters of changes.
        QByteArray plainBytes = bytesOf("plain"), unsealedBytes = bytesOf("unsealed");
        for (QByteArray *bytes : {&plainBytes, &unsealedBytes})
            bytes->replace(24, 4, "....").replace(40, 4, "....").replace(92, 8, "........");
        QVERIFY(unsealedBytes == plainBytes);
        QFile::remove(m_folder.filePath(QStringLiteral("unsealed")));
        struct stat status = {};
        QCOMPARE(::stat(file("sealed").c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0600);
    }

    void tellsAWrongPassphraseFromDamage()
    {
        const auto wrong = SealKey::unlock(file("sealed"), SecretText::of("incorrect horse"));
        QVERIFY(!wrong && wrong.error().text().ends_with("wrong passphrase"));
        QVERIFY(SealKey::unlock(file("sealed"), SecretText::of("correct horse")).has_value());
        QVERIFY(troubleOf(file("sealed"), {}).find("it is sealed; its passphrase is needed") != std::string::npos);
        QVERIFY(troubleOf(file("sealed"), cheapKey("correct horse")).find("wrong passphrase") != std::string::npos);
        const QByteArray good = bytesOf("sealed");
        for (int at = 15; at < 128; ++at) {
            QByteArray bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ 4);
            const auto opened = SealKey::unlock(write("header", bytes), SecretText::of("correct horse"));
            QVERIFY(!opened);
            QVERIFY2(opened.error().text().find("damaged or was altered") != std::string::npos,
                opened.error().text().c_str());
        }
        const auto cut = SealKey::unlock(write("header", good.left(90)), SecretText::of("correct horse"));
        QVERIFY(!cut && cut.error().text().find("cut off after 90 bytes") != std::string::npos);
    }

    void refusesAnAbsurdCost()
    {
        auto header = m_key->newHeader();
        header.setCost({1'000'000'000, 1ull << 40});
        const auto bytes = header.bytes();
        const std::string path = write(
            "absurd", QByteArray(reinterpret_cast<const char *>(bytes.data()), static_cast<qsizetype>(bytes.size())));
        const auto opened = SealKey::unlock(path, SecretText::of("x"));
        QVERIFY(!opened && opened.error().text().find("more time or memory") != std::string::npos);
    }

    void detectsEachFlippedByte()
    {
        const QByteArray good = bytesOf("sealed");
        // Each byte of a unit's nonce and tag in turn, and some of the rest; each unit several times.
        int flips = 0;
        for (qsizetype at = 128; at < good.size(); at += flips % 4 == 0 ? 5003 : 1 + flips % 7) {
            QByteArray bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
            const std::string trouble = troubleOf(write("flipped", bytes), m_key);
            QVERIFY2(trouble.find("altered") != std::string::npos, (std::to_string(at) + ": " + trouble).c_str());
            ++flips;
        }
        QVERIFY(flips > 100);
        QByteArray bytes = good;
        bytes[good.size() / 2] = static_cast<char>(bytes[good.size() / 2] ^ 1);
        const auto unsealed = storage::unsealSession(write("flipped", bytes), file("never"), m_key);
        QVERIFY(!unsealed && unsealed.error().text().find("damaged or was altered") != std::string::npos);
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("never"))));
    }

    void detectsPagesThatWereCutOffOrExchanged()
    {
        const QByteArray good = bytesOf("sealed");
        for (qsizetype bytes = 128; bytes < good.size(); bytes += 4001)
            QVERIFY(!troubleOf(write("cut", good.left(bytes)), m_key).empty());
        QByteArray exchanged = good;
        const QByteArray page = good.mid(128 + 4136 * 3, 4136);
        exchanged.replace(128 + 4136 * 3, 4136, good.mid(128 + 4136 * 4, 4136)).replace(128 + 4136 * 4, 4136, page);
        QVERIFY(troubleOf(write("exchanged", exchanged), m_key).find("2 of its parts") != std::string::npos);
        // A page of another file under the same key.
        VERIFY_RESULT(storage::sealSession(file("plain"), file("other"), m_key));
        QByteArray mixed = good;
        mixed.replace(128 + 4136 * 3, 4136, bytesOf("other").mid(128 + 4136 * 3, 4136));
        QVERIFY(troubleOf(write("mixed", mixed), m_key).find("1 of its parts") != std::string::npos);
    }

    void hasNothingInClearWhileRecording()
    {
        QFile::remove(m_folder.filePath(QStringLiteral("plain")));
        SampleSession sample;
        sample.info().config.command = {"/usr/bin/demo", "zebra-secret"};
        const std::string path = file("live");
        auto writer = storage::SessionWriter::create(path, sample.info(), m_key);
        VERIFY_RESULT(writer);
        int searched = 0;
        auto reader = storage::SessionReader::open(path, m_key);
        VERIFY_RESULT(reader);
        for (int i = 0; i < 30; ++i) {
            sample.tables().string("zebra-name-" + std::to_string(i));
            VERIFY_RESULT(writer->write(sample.batch(i, 40), sample.tables()));
            VERIFY_RESULT(reader->poll());
            for (const char *secret : {"zebra", "SQLite format", "CREATE TABLE", "/usr/bin/demo"})
                QVERIFY2(filesWith(secret).isEmpty(), qPrintable(filesWith(secret).join(u' ')));
            searched += static_cast<int>(QDir(m_folder.path()).entryList({QStringLiteral("live*")}).size());
        }
        QCOMPARE(searched, 3 * 30); // the file, its log, and the log's index
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{30});
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
        sample.info().state = SessionState::Complete;
        VERIFY_RESULT(writer->finish(sample.info()));
        QVERIFY(filesWith("zebra").isEmpty() && filesWith("CREATE TABLE").isEmpty());
        QCOMPARE(QDir(m_folder.path()).entryList({QStringLiteral("live*")}), QStringList{QStringLiteral("live")});
        VERIFY_RESULT(reader->poll());
        QCOMPARE(reader->info().state, SessionState::Complete);
        QCOMPARE(troubleOf(path, m_key), std::string());
    }

    void servesSeveralReadersWhileItIsWritten()
    {
        SampleSession sample;
        const std::string path = file("shared");
        auto writer = storage::SessionWriter::create(path, sample.info(), m_key);
        VERIFY_RESULT(writer);
        VERIFY_RESULT(writer->write(sample.batch(0), sample.tables()));
        constexpr int kTicks = 40;
        std::atomic<int> finished = 0, failures = 0;
        std::vector<std::thread> readers;
        for (int i = 0; i < 3; ++i)
            readers.emplace_back([&] {
                auto reader = storage::SessionReader::open(path, m_key);
                for (int tries = 0; reader && reader->info().state != SessionState::Complete && tries < 100'000;
                     ++tries) {
                    const auto snapshot = reader->snapshot({});
                    const auto polled = reader->poll();
                    if (!polled || !snapshot || !(*snapshot)->damage.empty()
                        || (*snapshot)->heapSummary.allocations
                            != 6 * static_cast<std::int64_t>((*snapshot)->tickEnds.size())) {
                        ++failures;
                        qWarning("%s",
                            !polled         ? polled.error().text().c_str()
                                : !snapshot ? snapshot.error().text().c_str()
                                            : (*snapshot)->damage.c_str());
                        break;
                    }
                }
                if (reader && (*reader->snapshot({}))->tickEnds.size() == kTicks)
                    ++finished;
            });
        for (int i = 1; i < kTicks; ++i)
            VERIFY_RESULT(writer->write(sample.batch(i), sample.tables()));
        sample.info().state = SessionState::Complete;
        VERIFY_RESULT(writer->finish(sample.info()));
        for (std::thread &reader : readers)
            reader.join();
        QCOMPARE(failures.load(), 0);
        QCOMPARE(finished.load(), 3);
    }

    void recoversWhatAKilledRecorderLeft()
    {
        SampleSession sample;
        {
            auto writer = storage::SessionWriter::create(file("dying"), sample.info(), m_key);
            for (int i = 0; i < 12; ++i)
                VERIFY_RESULT(writer->write(sample.batch(i), sample.tables()));
            for (const char *suffix : {"", "-wal"})
                QVERIFY(QFile::copy(
                    QString::fromStdString(file("dying") + suffix), QString::fromStdString(file("dead") + suffix)));
        }
        auto reader = storage::SessionReader::open(file("dead"), m_key);
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{12});
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
        // A log that was altered or torn ends there, and says so.
        const QByteArray log = bytesOf("dead-wal"), main = bytesOf("dead");
        for (const qsizetype at : {qsizetype(50), log.size() / 2, log.size() - 100}) {
            QByteArray altered = log;
            altered[at] = static_cast<char>(altered[at] ^ 1);
            write("altered", main);
            write("altered-wal", altered);
            QFile::remove(m_folder.filePath(QStringLiteral("altered-shm")));
            const std::string trouble = troubleOf(file("altered"), m_key);
            QVERIFY2(trouble.find("altered") != std::string::npos, trouble.c_str());
        }
        write("torn", main);
        write("torn-wal", log.left(log.size() - 1000));
        QVERIFY(troubleOf(file("torn"), m_key).find("cut off by a power failure") != std::string::npos);
        // Sealed copies of it stay sealed, and are whole by themselves.
        VERIFY_RESULT(storage::unsealSession(file("dead"), file("whole"), m_key));
        QCOMPARE(troubleOf(file("whole"), {}), std::string());
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("whole-wal"))));
    }

    void refusesWhatIsInTheWay()
    {
        QVERIFY(storage::sealSession(file("sealed"), file("never"), m_key).error().text().find("sealed already")
            != std::string::npos);
        QVERIFY(storage::unsealSession(file("whole"), file("never"), m_key).error().text().find("is not sealed")
            != std::string::npos);
        QVERIFY(storage::unsealSession(file("sealed"), file("whole"), m_key).error().text().find("exists already")
            != std::string::npos);
        QVERIFY(!SealKey::make(SecretText(8)));
    }
};

QTEST_APPLESS_MAIN(SealedSessionTest)
#include "sealed_session_test.moc"
