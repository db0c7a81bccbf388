// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_reader.h"
#include "storage/session_writer.h"
#include "tests/support/long_session.h"

#include <QElapsedTimer>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <thread>

using namespace model;

/// A recording of days, written through the real writer on virtual time: how large it gets, what writing costs, how fast it opens, how fast
/// windows of it are. GENESIS_BENCH_HOURS says how long it is (3 if not set; the figures are for 48), GENESIS_BENCH_SESSION names a file to
/// keep it in, which is read again if it is there, and GENESIS_BENCH_BUDGET_MB sets a budget for 48 hours.
class LongSessionBench : public QObject
{
    Q_OBJECT

private:
    static constexpr std::int64_t kHourNs = 3'600'000'000'000;

    QTemporaryDir m_folder;
    std::string m_path;
    int m_hours = 3;

    static double cpuSeconds()
    {
        timespec now{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    }

    static double threadSeconds()
    {
        timespec now{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    }

    /// CPU seconds of the recorder's thread for a tick, while so many viewers look at each.
    double secondsPerTick(const std::string &path, int viewerCount) const
    {
        constexpr int kTicks = 900;
        tests::LongSession session;
        auto writer = storage::SessionWriter::create(path, {});
        if (!writer)
            qFatal("%s", writer.error().text().c_str());
        std::atomic<int> written = 0;
        std::array<std::atomic<int>, 2> shown{}; // by each viewer
        std::atomic<bool> isOver = false;
        std::vector<std::thread> viewers;
        for (int i = 0; i < viewerCount; ++i)
            viewers.emplace_back([&, i] {
                auto reader = storage::SessionReader::open(path);
                for (int seen = 0; reader && !isOver;) {
                    if (seen == written) {
                        std::this_thread::sleep_for(std::chrono::microseconds(200));
                        continue;
                    }
                    seen = written;
                    if (reader->poll()) [[maybe_unused]]
                        const auto snapshot = reader->snapshot({});
                    shown.at(static_cast<std::size_t>(i)) = seen;
                }
            });
        double cpu = 0;
        for (int i = 0; i < kTicks; ++i) {
            const EventBatch batch = session.next();
            const double before = threadSeconds();
            const auto done = writer->write(batch, session.tables());
            cpu += threadSeconds() - before;
            if (!done)
                qFatal("%s", done.error().text().c_str());
            ++written;
            // A tick takes a second, in which they look at what is new and rest.
            for (int viewer = 0, waits = 0; viewer < viewerCount && waits < 1000;)
                if (shown.at(static_cast<std::size_t>(viewer)) == written)
                    ++viewer;
                else if (++waits < 1000)
                    std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        isOver = true;
        for (std::thread &viewer : viewers)
            viewer.join();
        // None of them keeps the log from being folded in.
        const qint64 logBytes = QFileInfo(QString::fromStdString(path + "-wal")).size();
        qInfo("%d viewers: log %.1f MB", viewerCount, static_cast<double>(logBytes) / 1e6);
        if (logBytes > 32'000'000)
            qFatal("the log has grown");
        return cpu / kTicks;
    }

    /// What the allocator has given out: the writer's own memory, and the generator's, which is constant.
    static std::size_t heapBytes() { return ::mallinfo2().uordblks; }

    void write()
    {
        tests::LongSession session;
        SessionInfo info;
        info.config.command = {"server", "--port", "80"};
        info.config.cpuHz = 99;
        if (const int megabytes = qEnvironmentVariableIntValue("GENESIS_BENCH_BUDGET_MB"))
            info.config.budget = ByteBudget{std::int64_t{megabytes} * 1'000'000, {48 * kHourNs}};
        auto writer = storage::SessionWriter::create(m_path, info);
        QVERIFY2(writer.has_value(), writer ? "" : writer.error().text().c_str());
        double cpu = 0, worst = 0;
        std::size_t halfway = 0;
        const std::int64_t ticks = std::int64_t{m_hours} * 3600;
        for (std::int64_t i = 0; i < ticks; ++i) {
            const EventBatch batch = session.next();
            const double before = cpuSeconds();
            const auto done = writer->write(batch, session.tables());
            const double spent = cpuSeconds() - before;
            QVERIFY2(done.has_value(), done ? "" : done.error().text().c_str());
            cpu += spent;
            worst = std::max(worst, spent);
            if (i == ticks / 2)
                halfway = heapBytes();
        }
        const std::size_t atEnd = heapBytes();
        qInfo("%d h: log %.1f MB, file while recording %.1f MB", m_hours,
            static_cast<double>(QFileInfo(QString::fromStdString(m_path + "-wal")).size()) / 1e6,
            static_cast<double>(QFileInfo(QString::fromStdString(m_path)).size()) / 1e6);
        info.state = SessionState::Complete;
        const double before = cpuSeconds();
        QVERIFY(writer->finish(info).has_value());
        qInfo("writing: %.2f %% of a core, the worst tick %.0f ms, the end %.1f s", 100 * cpu / (m_hours * 3600.0),
            worst * 1e3, cpuSeconds() - before);
        qInfo("memory: %.2f MB halfway, %.2f MB at the end, %+.2f %%", static_cast<double>(halfway) / 1e6,
            static_cast<double>(atEnd) / 1e6,
            100.0 * (static_cast<double>(atEnd) - static_cast<double>(halfway)) / static_cast<double>(halfway));
    }

    void dropFromCache() const
    {
        const int fd = ::open(m_path.c_str(), O_RDONLY);
        ::fsync(fd);
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        ::close(fd);
    }

    double openMs(std::size_t &ticks) const
    {
        QElapsedTimer timer;
        timer.start();
        auto reader = storage::SessionReader::open(m_path);
        if (!reader)
            return -1;
        const auto snapshot = reader->snapshot({});
        ticks = snapshot ? (*snapshot)->tickEnds.size() : 0;
        return static_cast<double>(timer.nsecsElapsed()) / 1e6;
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (qEnvironmentVariableIsSet("GENESIS_BENCH_HOURS"))
            m_hours = qEnvironmentVariableIntValue("GENESIS_BENCH_HOURS");
        m_path = qEnvironmentVariable("GENESIS_BENCH_SESSION", m_folder.filePath(QStringLiteral("long.gprof-session")))
                     .toStdString();
        if (!QFileInfo::exists(QString::fromStdString(m_path)))
            write();
        qInfo("file: %.1f MB", static_cast<double>(QFileInfo(QString::fromStdString(m_path)).size()) / 1e6);
    }

    void opensAtOnce()
    {
        std::size_t ticks = 0;
        dropFromCache();
        const double cold = openMs(ticks);
        std::vector<double> warm;
        for (int i = 0; i < 7; ++i)
            warm.push_back(openMs(ticks));
        std::sort(warm.begin(), warm.end());
        qInfo("opening to the whole first screen: %.0f ms cold, %.0f ms warm (median of 7; %zu steps of time)", cold,
            warm[3], ticks);
        QVERIFY(cold > 0 && cold < 10'000);
    }

    void showsAnyWindowAtOnce()
    {
        auto reader = storage::SessionReader::open(m_path);
        QVERIFY(reader.has_value());
        std::mt19937_64 random(5);
        const std::int64_t end = reader->info().duration.ns;
        for (const std::int64_t hours : {0, 1, 4, 12, 48}) {
            const std::int64_t length = hours == 0 ? 60'000'000'000 : hours * kHourNs;
            if (length > end)
                continue;
            std::vector<double> times;
            for (int i = 0; i < 25; ++i) {
                const auto begin = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end - length + 1));
                QElapsedTimer timer;
                timer.start();
                const auto snapshot = reader->snapshot({.time = TimeRange{{begin}, {begin + length}}});
                times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
                QVERIFY(snapshot.has_value());
            }
            std::sort(times.begin(), times.end());
            qInfo("windows of %s: median %.0f ms, most %.0f ms",
                hours == 0 ? "1 min" : qPrintable(QString::number(hours) + QStringLiteral(" h")), times[12],
                times.back());
        }
    }

    /// What a second viewer, that looks at each tick, costs the recorder's thread at a tick a second: in turns, so that both meet the same machine.
    void costsTheRecorderLittleToBeWatched()
    {
        std::array<double, 3> seconds{};
        constexpr int kRounds = 4;
        for (int round = 0; round < kRounds; ++round)
            for (int viewers = 0; viewers < 3; ++viewers)
                seconds[static_cast<std::size_t>(viewers)]
                    += secondsPerTick(
                           m_folder.filePath(QStringLiteral("w%1-%2").arg(round).arg(viewers)).toStdString(), viewers)
                    / kRounds;
        qInfo("CPU time of the recorder a tick: %.3f ms alone, %.3f ms with a viewer, %.3f ms with two",
            seconds[0] * 1e3, seconds[1] * 1e3, seconds[2] * 1e3);
        QVERIFY(seconds[2] - seconds[0] < 0.01);
    }
};

QTEST_APPLESS_MAIN(LongSessionBench)
#include "long_session_bench.moc"
