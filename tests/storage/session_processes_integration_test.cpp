// SPDX-License-Identifier: GPL-3.0-or-later
// A recording of 29 hours in which processes come and go, more of them in each step than ever live at once.
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/time_series.h"
#include "storage/database.h"
#include "tests/storage/sample_session.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace model;

namespace {

constexpr std::int64_t kTickNs = 30'000'000'000;
constexpr int kTicks = 3500;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kServerBytes = 80 * kMiB, kChildBytes = 20 * kMiB, kChildHeap = 3 * kMiB;
constexpr std::int64_t kServerCpu = 40'000, kChildCpu = 25'000; // thousandths of a percent
constexpr std::int64_t kFaults = 7;

/// A server that starts one or two programs in each tick, which live for half a tick to two ticks and a half.
class BusyServer
{
public:
    explicit BusyServer(const std::string &path)
    {
        m_info.config.tick = {kTickNs};
        m_info.config.command = {"server"};
        m_server = start({0});
        auto writer = storage::SessionWriter::create(path, m_info);
        if (writer)
            m_writer.emplace(std::move(*writer));
    }

    Result<void> writeTick()
    {
        EventBatch batch;
        batch.span = {m_now, {m_now.ns + kTickNs}};
        for (int i = 0; i < 1 + m_number % 2; ++i) {
            Program child = start({m_now.ns + kTickNs * (1 + i) / 4});
            child.end = {child.start.ns + kTickNs / 2 + kTickNs * ((m_number * 7 + i * 3) % 5) / 2 + 1};
            m_children.push_back(child);
        }
        double cpu = 0;
        add(batch, m_server, kServerBytes, kServerCpu, cpu);
        std::vector<Program> living;
        for (Program &child : m_children) {
            const bool hasEnded = child.end <= batch.span.end;
            if (hasEnded) {
                m_tables.changeProcess(child.process).end = child.end;
                m_tables.changeImage(child.image).end = child.end;
            }
            add(batch, child, hasEnded ? std::nullopt : std::optional(kChildBytes), kChildCpu, cpu);
            if (!hasEnded)
                living.push_back(child);
        }
        std::int64_t most = 0;
        std::vector<Timestamp> moments{batch.span.begin, batch.span.end};
        for (const Program &child : m_children)
            moments.push_back(std::max(child.start, batch.span.begin));
        for (const Timestamp moment : moments)
            most = std::max<std::int64_t>(most,
                std::count_if(m_children.begin(), m_children.end(),
                    [=](const Program &child) { return child.start <= moment && moment < child.end; }));
        m_now = batch.span.end;
        ++m_number;
        mostIn[m_now] = most;
        m_children = living;
        livingAt[m_now] = static_cast<std::int64_t>(living.size());
        cpuUntil[m_now] = (cpuUntil.empty() ? 0 : cpuUntil.rbegin()->second) + cpu;
        faultsUntil[m_now] = (faultsUntil.empty() ? 0 : faultsUntil.rbegin()->second)
            + kFaults * static_cast<std::int64_t>(batch.metrics.size());
        return m_writer->write(batch, m_tables);
    }

    Result<void> finish()
    {
        m_info.state = SessionState::Complete;
        return m_writer->finish(m_info);
    }

    std::map<Timestamp, std::int64_t> livingAt;    ///< children at the end of a tick
    std::map<Timestamp, std::int64_t> mostIn;      ///< children that were there together in the tick
    std::map<Timestamp, double> cpuUntil;          ///< percent × ticks
    std::map<Timestamp, std::int64_t> faultsUntil; ///< each second × ticks

private:
    struct Program
    {
        ProcessId process;
        ImageId image;
        Timestamp start, end;
    };

    Program start(Timestamp when)
    {
        Program program{.start = when};
        program.process = m_tables.addProcess({.pid = ++m_pid, .start = when});
        program.image = m_tables.addImage({.process = program.process,
            .executable = m_tables.string("/usr/bin/program"),
            .commandLine = m_tables.string("program"),
            .start = when,
            .heap = HeapState::Full,
            .heapNote = StringId(0u)});
        return program;
    }

    /// Without `bytes` it has ended: what it used is known, but not what it had.
    void add(
        EventBatch &batch, const Program &program, std::optional<std::int64_t> bytes, std::int64_t used, double &cpu)
    {
        MetricValues values;
        if (bytes)
            values.set(Metric::Rss, *bytes);
        values.set(Metric::CpuUser, used);
        values.set(Metric::MajorFaults, kFaults);
        values.set(Metric::SystemAvailable, 1000 * kMiB);
        cpu += static_cast<double>(used) / 1000;
        batch.metrics.push_back({program.process, values});
        if (bytes) {
            MemoryPartsRow parts{.process = program.process};
            parts.mappings = *bytes;
            batch.memoryParts.push_back(parts);
        }
        HeapTick tick{.image = program.image};
        tick.liveBytes = tick.leastLiveBytes = tick.mostLiveBytes = kChildHeap;
        tick.liveBlocks = 1;
        tick.allocations = 30;
        batch.heapTicks.push_back(tick);
    }

    SessionInfo m_info;
    TableBuilder m_tables;
    std::optional<storage::SessionWriter> m_writer;
    Program m_server;
    std::vector<Program> m_children;
    Timestamp m_now;
    int m_number = 0;
    std::int32_t m_pid = 100;
};

} // namespace

/// What processes have and use together is the same at all levels: one that has ended has nothing, and what it used is spread over the step.
class SessionProcessesTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string m_path;
    std::unique_ptr<BusyServer> m_truth;
    std::shared_ptr<const Snapshot> m_snapshot;

    std::shared_ptr<const Snapshot> read() const
    {
        auto reader = storage::SessionReader::open(m_path);
        return *reader->snapshot({});
    }

    /// The step of `snapshot` that ends at `when`; 0 a tick.
    static std::int64_t stepNs(const Snapshot &snapshot, Timestamp when)
    {
        for (const Resolution &part : snapshot.resolutions)
            if (part.span.begin < when && when <= part.span.end)
                return part.step.ns;
        return -1;
    }

    /// Calls `look(step, when, value)` for all points of a line; at each step there are some.
    template <typename Look> void eachPoint(const TimeSeries &series, const Look &look) const
    {
        std::map<std::int64_t, int> points;
        for (const auto &segment : series.segments)
            for (const SeriesPoint &point : segment) {
                const std::int64_t step = stepNs(*m_snapshot, point.when);
                ++points[step];
                look(step, point.when, point.value);
            }
        QCOMPARE(points.size(), m_snapshot->resolutions.size());
        QVERIFY(points.size() >= 4);
    }

    /// Means of a line over each step, as `until` has them.
    template <typename Sums> void compareMeans(const TimeSeries &series, const Sums &until, double tolerance) const
    {
        std::optional<Timestamp> last;
        double worst = 0;
        QByteArray where;
        eachPoint(series, [&](std::int64_t step, Timestamp when, double value) {
            const auto begin = last ? static_cast<double>(until.at(*last)) : 0.0;
            const double ticks = static_cast<double>((when - last.value_or(Timestamp{})).ns) / kTickNs;
            const double mean = (static_cast<double>(until.at(when)) - begin) / ticks;
            if (const double error = std::abs(value - mean) / mean; error > worst) {
                worst = error;
                where = QByteArray::number(value) + " instead of " + QByteArray::number(mean) + " at "
                    + QByteArray::number(when.seconds()) + " s, step of "
                    + QByteArray::number(qint64(step / 1'000'000'000)) + " s";
            }
            last = when;
        });
        QVERIFY2(worst <= tolerance, where.constData());
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_path = m_folder.filePath(QStringLiteral("busy")).toStdString();
        m_truth = std::make_unique<BusyServer>(m_path);
        for (int i = 0; i < kTicks; ++i)
            VERIFY_RESULT(m_truth->writeTick());
        VERIFY_RESULT(m_truth->finish());
        m_snapshot = read();
        QCOMPARE(m_snapshot->damage, std::string());
    }

    void addsUpWhatProcessesHaveThatLive()
    {
        std::int64_t wrong = 0;
        eachPoint(timeSeries(*m_snapshot, Metric::Rss), [&](std::int64_t, Timestamp when, double value) {
            wrong += value == static_cast<double>(kServerBytes + kChildBytes * m_truth->livingAt.at(when)) ? 0 : 1;
        });
        QCOMPARE(wrong, std::int64_t{0});
    }

    void addsUpTheHeapsOfImagesThatLive()
    {
        std::int64_t wrong = 0;
        eachPoint(timeSeries(*m_snapshot, HeapQuantity::LiveBytes), [&](std::int64_t, Timestamp when, double value) {
            // A tick tells what was left to those that ended in it, as far as they were there together, and the last tick of a step.
            const std::int64_t heaps = 1 + m_truth->mostIn.at(when);
            wrong += value == static_cast<double>(kChildHeap * heaps) ? 0 : 1;
        });
        QCOMPARE(wrong, std::int64_t{0});
    }

    void addsUpTheirMemoryByPart()
    {
        const std::vector<MemoryPart> parts = memoryParts(*m_snapshot);
        const auto mappings = std::find_if(
            parts.begin(), parts.end(), [](const MemoryPart &part) { return part.key == "mapping_bytes"; });
        QVERIFY(mappings != parts.end());
        std::int64_t wrong = 0;
        // Kept as long as costs are: between, minutes have what was known last.
        const std::set<Timestamp> ends(m_snapshot->tickEnds.begin(), m_snapshot->tickEnds.end());
        eachPoint(mappings->series, [&](std::int64_t, Timestamp when, double value) {
            if (ends.contains(when))
                wrong += value == static_cast<double>(kServerBytes + kChildBytes * m_truth->livingAt.at(when)) ? 0 : 1;
        });
        QCOMPARE(wrong, std::int64_t{0});
    }

    void addsUpWhatTheyUsed()
    {
        compareMeans(timeSeries(*m_snapshot, CpuQuantity::Used), m_truth->cpuUntil, 1e-4);
        // Few a second, of which each process has less than one.
        compareMeans(timeSeries(*m_snapshot, Metric::MajorFaults), m_truth->faultsUntil, 0.1);
    }

    void addsUpTheirAllocations()
    {
        std::int64_t allocations = 0;
        for (const HeapSeries &series : m_snapshot->heapSeries)
            for (const HeapTick &tick : series.ticks)
                allocations += tick.allocations;
        QCOMPARE(allocations, m_truth->faultsUntil.rbegin()->second / kFaults * 30);
    }

    void showsTheSameInTheTimeline()
    {
        auto database = storage::Database::open(m_path, storage::OpenMode::ReadWrite);
        VERIFY_RESULT(database);
        auto rows = database->prepare("SELECT t.level, t.end_ns, v.rss_mib, v.heap_live_mib FROM v_timeline v"
                                      " JOIN v_bucket t ON t.begin_s = v.begin_s AND t.end_s = v.end_s");
        VERIFY_RESULT(rows);
        std::size_t count = 0, wrong = 0;
        for (auto row = rows->step(); row && *row; row = rows->step(), ++count) {
            const std::int64_t living = m_truth->livingAt.at({rows->integer(1)});
            const bool isHeapRight = rows->integer(0) == 0 || rows->real(3) == static_cast<double>(3 * (living + 1));
            wrong += rows->real(2) == static_cast<double>(80 + 20 * living) && isHeapRight ? 0 : 1;
        }
        QCOMPARE(count, m_snapshot->tickEnds.size());
        QCOMPARE(wrong, std::size_t{0});
    }

    /// Older recorders stored medians of the ticks in which a process was there, whatever part of the step that was.
    void weighsTheMediansOfOlderSessions()
    {
        {
            auto database = storage::Database::open(m_path, storage::OpenMode::ReadWrite);
            VERIFY_RESULT(database);
            VERIFY_RESULT(database->execute("DELETE FROM session WHERE key = 'bucket_rates'"));
            VERIFY_RESULT(database->execute(
                "UPDATE metric SET cpu_user_millipercent = 25000 WHERE tick >= 1 << 40 AND process > 0"));
        }
        m_snapshot = read();
        QCOMPARE(m_snapshot->damage, std::string());
        compareMeans(timeSeries(*m_snapshot, CpuQuantity::Used), m_truth->cpuUntil, 0.2);
    }
};

QTEST_APPLESS_MAIN(SessionProcessesTest)
#include "session_processes_integration_test.moc"
