// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "tests/storage/sample_session.h"

#include <QElapsedTimer>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

using namespace model;

namespace {

/// A process that writes ticks until it is killed, and tells through a pipe after each that it is in the file.
class WriterProcess
{
public:
    explicit WriterProcess(const std::string &path)
    {
        int ends[2] = {};
        if (::pipe(ends) != 0)
            qFatal("pipe");
        m_pid = ::fork();
        if (m_pid == 0)
            writeForever(path, ends[1]);
        ::close(ends[1]);
        m_read = ends[0];
    }
    WriterProcess(const WriterProcess &) = delete;
    WriterProcess &operator=(const WriterProcess &) = delete;
    ~WriterProcess()
    {
        kill();
        ::close(m_read);
    }

    /// Waits for one more tick; false when the process has ended.
    bool waitForTick()
    {
        char byte = 0;
        if (::read(m_read, &byte, 1) != 1)
            return false;
        ++m_ticks;
        return true;
    }

    void kill()
    {
        if (m_pid <= 0)
            return;
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
        m_pid = 0;
        while (waitForTick()) { }
    }

    /// Ticks that were in the file for certain.
    int ticks() const { return m_ticks; }

private:
    [[noreturn]] static void writeForever(const std::string &path, int told)
    {
        SampleSession sample;
        auto writer = storage::SessionWriter::create(path, sample.info());
        for (int i = 0; writer; ++i)
            if (!writer->write(sample.batch(i, 20 + i), sample.tables()) || ::write(told, "t", 1) != 1)
                break;
        ::_exit(1);
    }

    pid_t m_pid = 0;
    int m_read = -1;
    int m_ticks = 0;
};

bool passesIntegrityCheck(const std::string &path)
{
    auto database = storage::Database::open(path, storage::OpenMode::ReadWrite);
    auto check = database->prepare("PRAGMA integrity_check");
    return check && check->step() && check->text(0) == "ok";
}

} // namespace

class SessionRecoveryTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

private Q_SLOTS:
    void keepsEveryTickOfAKilledRecorder()
    {
        // GENESIS_TEST_KILLS=1000 for the full test. Buckets end within these ticks, and are written with the tick behind them.
        const int rounds
            = qEnvironmentVariableIsSet("GENESIS_TEST_KILLS") ? qEnvironmentVariableIntValue("GENESIS_TEST_KILLS") : 12;
        std::mt19937 random(3);
        for (int round = 0; round < rounds; ++round) {
            const std::string path = file("killed");
            for (const char *suffix : {"", "-wal", "-shm"})
                std::filesystem::remove(path + suffix);
            int ticks = 0;
            {
                WriterProcess writer(path);
                for (auto i = 1 + random() % 24; i > 0; --i)
                    QVERIFY(writer.waitForTick());
                // Somewhere within the next tick.
                std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
                writer.kill();
                ticks = writer.ticks();
            }
            auto reader = storage::SessionReader::open(path);
            VERIFY_RESULT(reader);
            QCOMPARE(reader->info().state, SessionState::Unfinished);
            const auto snapshot = reader->snapshot({});
            VERIFY_RESULT(snapshot);
            QVERIFY((*snapshot)->tickEnds.size() >= static_cast<std::size_t>(ticks));
            QVERIFY((*snapshot)->tickEnds.size() <= static_cast<std::size_t>(ticks) + 1);
            // Costs belong to the ticks: tick i adds an allocation for each of its 20 + i stacks, the n-th n of them.
            std::int64_t allocations = 0;
            for (std::int64_t i = 0; i < static_cast<std::int64_t>((*snapshot)->tickEnds.size()); ++i)
                allocations += (20 + i) * (21 + i) / 2;
            QCOMPARE((*snapshot)->heapSummary.allocations, allocations);
            std::int64_t byStack = 0;
            for (const HeapCost &cost : (*snapshot)->heap)
                byStack += cost.allocations;
            QCOMPARE(byStack, allocations);
            QCOMPARE((*snapshot)->damage, std::string());
            QVERIFY(passesIntegrityCheck(path));
        }
    }

    void seesThatTheRecorderDied()
    {
        WriterProcess writer(file("dies"));
        QVERIFY(writer.waitForTick());
        auto reader = storage::SessionReader::open(file("dies"));
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Recording);
        writer.kill();
        const auto changed = reader->poll();
        QVERIFY(changed && *changed);
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        QVERIFY(!*reader->poll());
    }

    void saysThatTheLogIsMissing()
    {
        {
            WriterProcess writer(file("nolog"));
            QVERIFY(writer.waitForTick());
        }
        std::filesystem::remove(file("nolog-wal"));
        std::filesystem::remove(file("nolog-shm"));
        auto reader = storage::SessionReader::open(file("nolog"));
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        const auto snapshot = reader->snapshot({});
        QVERIFY((*snapshot)->damage.find("-wal is not beside it") != std::string::npos);
        QVERIFY((*snapshot)->damage.find("move the one of its old name that ends in -wal too") != std::string::npos);
    }

    void recoversAPrivateCopyWhereItMayNotWrite()
    {
        if (::getuid() != 0)
            QSKIP("only root can become a user without rights to write here");
        int ticks = 0;
        {
            WriterProcess writer(file("readonly"));
            for (int i = 0; i < 5; ++i)
                QVERIFY(writer.waitForTick());
            writer.kill();
            ticks = writer.ticks();
        }
        std::filesystem::remove(file("readonly-shm"));
        for (const char *suffix : {"", "-wal"})
            ::chmod((file("readonly") + suffix).c_str(), 0444);
        ::chmod(m_folder.path().toStdString().c_str(), 0555);
        const pid_t child = ::fork();
        if (child == 0) {
            if (::setgid(65534) != 0 || ::setuid(65534) != 0)
                ::_exit(2);
            auto reader = storage::SessionReader::open(file("readonly"));
            if (!reader)
                qWarning("%s", reader.error().text().c_str());
            const bool isWhole = reader && reader->info().state == SessionState::Unfinished
                && (*reader->snapshot({}))->tickEnds.size() >= static_cast<std::size_t>(ticks);
            reader = Error("closed");
            ::_exit(isWhole ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ::chmod(m_folder.path().toStdString().c_str(), 0700);
        QCOMPARE(status, 0);
    }

    void keepsTheBatchWhenTheFileMayNotGrow()
    {
        ::signal(SIGXFSZ, SIG_IGN);
        SampleSession sample;
        auto writer = sample.begin(file("full"), 3);
        VERIFY_RESULT(writer);
        struct rlimit before = {};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const struct rlimit limit = {8192, before.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
        const EventBatch batch = sample.batch(3, 200);
        const auto failed = writer->write(batch, sample.tables());
        const auto again = writer->write(batch, sample.tables());
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(!failed);
        QVERIFY(!again);
        QVERIFY2(failed.error().text().find("limit on file sizes") != std::string::npos, failed.error().text().c_str());
        VERIFY_RESULT(writer->write(batch, sample.tables()));
        VERIFY_RESULT(writer->finish(sample.info()));
        auto reader = storage::SessionReader::open(file("full"));
        const auto snapshot = reader->snapshot({});
        QCOMPARE((*snapshot)->tickEnds.size(), std::size_t{4});
        QCOMPARE((*snapshot)->tables->stacks.size(), sample.tables().tables().stacks.size());
        QCOMPARE((*snapshot)->tables->strings, sample.tables().tables().strings);
    }

    void finishesInPlaceWhereThereIsNoRoomForACopy()
    {
        SampleSession sample;
        auto writer = sample.begin(file("place"), 30, 100);
        VERIFY_RESULT(writer);
        struct rlimit before = {};
        ::getrlimit(RLIMIT_FSIZE, &before);
        // Room for the log that is there, none for a copy that holds it all.
        const auto now = static_cast<rlim_t>(std::filesystem::file_size(file("place-wal")));
        const struct rlimit limit = {now + 100'000, before.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
        sample.info().state = SessionState::Complete;
        const auto done = writer->finish(sample.info());
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        VERIFY_RESULT(done);
        QVERIFY(!std::filesystem::exists(file("place-wal")));
        auto reader = storage::SessionReader::open(file("place"));
        QCOMPARE(reader->info().state, SessionState::Complete);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{30});
    }

    void tellsItsEndWhereTheLogMayNotGrow()
    {
        SampleSession sample;
        auto writer = sample.begin(file("end"), 3);
        VERIFY_RESULT(writer);
        struct rlimit before = {};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const struct rlimit limit = {std::filesystem::file_size(file("end-wal")), before.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
        sample.info().state = SessionState::Complete;
        const auto done = writer->finish(sample.info());
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        VERIFY_RESULT(done);
        QVERIFY(!std::filesystem::exists(file("end-wal")));
        auto reader = storage::SessionReader::open(file("end"));
        QCOMPARE(reader->info().state, SessionState::Complete);
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{3});
    }

    void losesNothingWhereItsEndDoesNotFit()
    {
        SampleSession sample;
        auto writer = sample.begin(file("cut"), 30, 100);
        VERIFY_RESULT(writer);
        struct rlimit before = {};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const struct rlimit limit = {8192, before.rlim_max}; // neither the log may grow nor be folded
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
        sample.info().state = SessionState::Complete;
        const auto done = writer->finish(sample.info());
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(!done);
        auto reader = storage::SessionReader::open(file("cut"));
        QCOMPARE(reader->info().state, SessionState::Unfinished);
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{30});
    }

    void keepsTheLogWhileAReaderNeedsIt()
    {
        SampleSession sample;
        const std::string path = file("read");
        auto writer = sample.begin(path, 2);
        VERIFY_RESULT(writer);
        {
            auto other = storage::Database::open(path, storage::OpenMode::ReadOnly);
            VERIFY_RESULT(other);
            VERIFY_RESULT(other->execute("BEGIN"));
            QVERIFY(*other->integer("SELECT count(*) FROM tick") > 0);
            VERIFY_RESULT(writer->write(sample.batch(2), sample.tables()));
            sample.info().state = SessionState::Complete;
            VERIFY_RESULT(writer->finish(sample.info()));
            // What is not in the file yet still stands beside it.
            auto reader = storage::SessionReader::open(path);
            VERIFY_RESULT(reader);
            QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{3});
            QVERIFY(std::filesystem::file_size(path + "-wal") > 0);
        }
        auto reader = storage::SessionReader::open(path);
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{3});
        QCOMPARE((*reader->snapshot({}))->damage, std::string());
    }

    void servesThreeReadersWhileItIsWritten()
    {
        SampleSession sample;
        const std::string path = file("shared");
        auto writer = sample.begin(path, 1);
        VERIFY_RESULT(writer);
        constexpr int kTicks = 60;
        std::atomic<int> finished = 0, failures = 0;
        std::vector<std::thread> readers;
        for (int i = 0; i < 3; ++i)
            readers.emplace_back([&] {
                auto reader = storage::SessionReader::open(path);
                QElapsedTimer timer;
                timer.start();
                while (reader && reader->info().state != SessionState::Complete && timer.elapsed() < 30'000) {
                    const auto snapshot = reader->snapshot({});
                    // Each view is whole: costs belong to the ticks it has.
                    if (!reader->poll() || !snapshot
                        || (*snapshot)->heapSummary.allocations
                            != 6 * static_cast<std::int64_t>((*snapshot)->tickEnds.size()))
                        ++failures;
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
        QVERIFY(!std::filesystem::exists(path + "-wal"));
    }
};

QTEST_APPLESS_MAIN(SessionRecoveryTest)
#include "session_recovery_integration_test.moc"
