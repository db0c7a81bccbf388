// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/alert_watch.h"
#include "model/analysis/leak_watch.h"
#include "model/analysis/session_forecast.h"
#include "model/analysis/summary.h"
#include "model/report/growth_report.h"
#include "storage/session_reader.h"
#include "storage/session_writer.h"
#include "tests/support/long_session.h"
#include "tests/support/stack_histories.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <time.h>

#include <functional>
#include <set>
#include <thread>

using namespace model;

/// What all answers about memory cost on a long session of 10,000 stacks: in all when it is opened, and each second while it is recorded. Of the
/// stacks as many have a history of ages as the recorder follows, and one in fifty leaks. GENESIS_BENCH_HOURS says how long it is (3 if not set;
/// the figures are for 48), GENESIS_BENCH_SESSION where it is kept for the next time: 48 hours take ten minutes to write.
class AnalysisBench : public QObject
{
    Q_OBJECT

private:
    static constexpr int kStacks = 10'000;
    static constexpr std::size_t kBuckets = 144;
    static constexpr std::size_t kFollowed = 8192; ///< AgeBook::kMostFollowed

    QTemporaryDir m_folder;
    int m_hours = 3;
    EventBatch m_ages; ///< clocks and histories only
    std::shared_ptr<const Snapshot> m_snapshot;

    static double cpuMs(clockid_t clock)
    {
        timespec now{};
        ::clock_gettime(clock, &now);
        return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
    }

    void addAges(const std::set<std::uint32_t> &stacks)
    {
        const Duration bucket{m_hours * 3'600'000'000'000 / static_cast<std::int64_t>(kBuckets)};
        Random random(7);
        for (const std::uint32_t stack : stacks) {
            if (m_ages.stackAges.size() == kFollowed)
                break;
            StackAges ages{ImageId(0u), StackId(stack), 0, 0, bucket, {}, {}};
            const std::size_t number = m_ages.stackAges.size();
            const auto behaviour = tests::behaviourAt(number % 50 == 0
                    ? tests::kHealthyBehaviours + number / 50 % tests::kLeakingBehaviours
                    : number % tests::kHealthyBehaviours);
            ages.buckets = tests::stackHistory(behaviour, {.buckets = kBuckets, .blockBytes = 4000}, random);
            m_ages.stackAges.push_back(std::move(ages));
        }
        m_ages.ageClocks.push_back({ImageId(0u), {0}, bucket, static_cast<std::uint32_t>(kBuckets),
            static_cast<std::int64_t>(m_ages.stackAges.size())});
    }

    void record(const std::string &path)
    {
        tests::LongSession session({.stacks = kStacks, .changedStacks = 300});
        SessionInfo info;
        info.config.command = {"server"};
        auto writer = storage::SessionWriter::create(path, info);
        QVERIFY2(writer.has_value(), writer ? "" : writer.error().text().c_str());
        std::set<std::uint32_t> stacks;
        const int ticks = m_hours * 3600;
        for (int i = 0; i < ticks; ++i) {
            EventBatch batch = session.next();
            for (const HeapDelta &row : batch.heap)
                stacks.insert(row.stack.value);
            if (i + 1 == ticks) {
                addAges(stacks);
                batch.ageClocks = m_ages.ageClocks;
                batch.stackAges = m_ages.stackAges;
            }
            const auto done = writer->write(batch, session.tables());
            QVERIFY2(done.has_value(), done ? "" : done.error().text().c_str());
        }
        info.state = SessionState::Complete;
        QVERIFY(writer->finish(info).has_value());
    }

    /// CPU time of an answer in ms; prints it. It must be given.
    double costOf(const char *name, const std::function<bool(std::stop_token)> &answer)
    {
        const double before = cpuMs(CLOCK_THREAD_CPUTIME_ID);
        const bool isDone = answer({});
        const double spent = cpuMs(CLOCK_THREAD_CPUTIME_ID) - before;
        qInfo("%-12s %7.0f ms", name, spent);
        [&] { QVERIFY(isDone); }();
        return spent;
    }

    static std::vector<std::pair<const char *, std::function<bool(std::stop_token)>>> answersOf(
        const Snapshot &snapshot)
    {
        return {{"leaks", [&](std::stop_token stop) { return leaksOf(snapshot, stop) != nullptr; }},
            {"forecast",
                [&](std::stop_token stop) {
                    const auto leaks = leaksOf(snapshot, stop);
                    return leaks && sessionForecasts(snapshot, *leaks, {}, stop).has_value();
                }},
            {"growth", [&](std::stop_token) { return !seriesGrowth(snapshot).empty(); }},
            {"summary", [&](std::stop_token stop) { return summary(snapshot, stop).has_value(); }}};
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (qEnvironmentVariableIsSet("GENESIS_BENCH_HOURS"))
            m_hours = qEnvironmentVariableIntValue("GENESIS_BENCH_HOURS");
        const QString kept = qEnvironmentVariable("GENESIS_BENCH_SESSION");
        const QString file = kept.isEmpty() ? m_folder.filePath(QStringLiteral("long.gprof-session")) : kept;
        const std::string path = file.toStdString();
        if (!QFile::exists(file))
            record(path);
        auto reader = storage::SessionReader::open(path);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().text().c_str());
        const double read = costOf("reading", [&](std::stop_token) {
            auto snapshot = reader->snapshot({}, {}, storage::SessionReader::Parts::WithAges);
            m_snapshot = snapshot ? *snapshot : nullptr;
            return m_snapshot != nullptr;
        });
        QVERIFY(read > 0);
        qInfo("%.1f h, %zu stacks, %zu of them with a history", m_snapshot->info.duration.seconds() / 3600,
            m_snapshot->heap.size(), m_snapshot->heapAges->stacks.size());
        if (m_ages.stackAges.empty()) { // it was there
            m_ages.ageClocks = m_snapshot->heapAges->clocks;
            m_ages.stackAges = m_snapshot->heapAges->stacks;
        }
        QCOMPARE(m_snapshot->heapAges->stacks.size(), m_ages.stackAges.size());
    }

    void answersEverythingInTwoSeconds()
    {
        double all = 0;
        for (const auto &[name, answer] : answersOf(*m_snapshot))
            all += costOf(name, answer);
        qInfo("together     %7.0f ms of CPU time", all);
#ifdef NDEBUG
        QVERIFY(all < 2000);
#endif
    }

    void stopsSoonWhenAsked()
    {
        const std::size_t count = answersOf(*m_snapshot).size();
        for (std::size_t i = 0; i < count; ++i) {
            const Snapshot unknown = *m_snapshot; // of which nothing was found out yet
            const auto [name, answer] = answersOf(unknown)[i];
            std::stop_source stop;
            QElapsedTimer timer;
            bool isDone = false;
            std::thread job([&isDone, &stop, &run = answer] { isDone = run(stop.get_token()); });
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            timer.start();
            stop.request_stop();
            job.join();
            qInfo("%-12s ends %lld ms after it was asked to%s", name, static_cast<long long>(timer.elapsed()),
                isDone ? " (it was done)" : "");
            QVERIFY(timer.elapsed() < 2000);
        }
    }

    void costsLittleWhileItIsRecorded()
    {
        LeakWatch leaks;
        EventBatch batch = m_ages;
        batch.span = {{0}, {1'000'000'000}};
        const double before = cpuMs(CLOCK_THREAD_CPUTIME_ID);
        leaks.see(batch);
        const double first = cpuMs(CLOCK_THREAD_CPUTIME_ID) - before;
        // Buckets last 10 s at the shortest, and then all histories are told of.
        const double leakShare = first / 10'000;

        AlertWatch alerts(defaultAlertRules(), 2);
        tests::LongSession session({.stacks = kStacks, .changedStacks = 300});
        constexpr int kTicks = 3600;
        double alertMs = 0;
        for (int i = 0; i < kTicks; ++i) {
            const EventBatch tick = session.next();
            const double begin = cpuMs(CLOCK_THREAD_CPUTIME_ID);
            static_cast<void>(alerts.evaluate(tick, session.tables().tables()));
            alertMs += cpuMs(CLOCK_THREAD_CPUTIME_ID) - begin;
        }
        const double alertShare = alertMs / (kTicks * 1000.0);
        qInfo("leaks: %.0f ms a bucket, %.2f %% of a core at most; alerts: %.3f %%", first, 100 * leakShare,
            100 * alertShare);
#ifdef NDEBUG
        QVERIFY(leakShare + alertShare < 0.01);
#endif
    }
};

QTEST_GUILESS_MAIN(AnalysisBench)
#include "analysis_bench.moc"
