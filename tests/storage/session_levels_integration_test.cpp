// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "tests/storage/sample_session.h"
#include "tests/support/long_session.h"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <random>
#include <tuple>

using namespace model;

namespace {

/// What windows of a recording hold, added up from all its batches.
class Truth
{
public:
    void add(const EventBatch &batch) { m_batches.push_back(batch); }
    Timestamp end() const { return m_batches.back().span.end; }

    std::map<std::uint32_t, HeapCost> heap(TimeRange span) const
    {
        std::map<std::uint32_t, HeapCost> costs;
        for (const EventBatch &batch : m_batches) {
            const bool isBefore = batch.span.end <= span.begin;
            if (batch.span.begin >= span.end)
                break;
            for (const HeapDelta &delta : batch.heap) {
                HeapCost &cost = costs[delta.stack.value];
                cost.liveBytes += delta.allocatedBytes - delta.freedBytes;
                cost.liveBlocks += delta.allocations - delta.frees;
                if (isBefore) {
                    cost.liveBytesAtBegin = cost.liveBytes;
                    cost.liveBlocksAtBegin = cost.liveBlocks;
                    continue;
                }
                cost.allocations += delta.allocations;
                cost.allocatedBytes += delta.allocatedBytes;
                cost.frees += delta.frees;
                cost.freedBytes += delta.freedBytes;
                cost.temporaries += delta.temporaries;
                cost.temporaryBytes += delta.temporaryBytes;
            }
            for (const HeapSamplingDelta &delta : batch.heapSampling) {
                HeapCost &cost = costs[delta.stack.value];
                cost.liveVariance += delta.sampling.allocatedVariance - delta.sampling.freedVariance;
                if (!isBefore)
                    cost.samples += delta.sampling.samples;
            }
        }
        return costs;
    }

    template <typename Add> void within(TimeRange span, const Add &add) const
    {
        for (const EventBatch &batch : m_batches)
            if (batch.span.begin >= span.begin && batch.span.end <= span.end)
                add(batch);
    }

private:
    std::vector<EventBatch> m_batches;
};

/// A recording of 30 hours in ticks of 8 to 160 s, so that all levels are there and the finer ones have been cut.
class Recorded
{
public:
    static constexpr int kTicks = 1300;
    static constexpr std::int64_t kLongestTickNs = 160'000'000'000;

    explicit Recorded(const std::string &path, std::optional<ByteBudget> budget = {})
        : m_session({.stacks = 60,
            .changedStacks = 12,
            .cpuStacks = 20,
            .cpuSamples = 2,
            .hasActivity = true,
            .threads = 3,
            .tickNs = 8'000'000'000,
            .tickLengths = 20,
            .isSampled = true,
            .hasAreas = true,
            .hasLosses = true})
    {
        m_info.config.command = {"server"};
        m_info.config.budget = budget;
        auto writer = storage::SessionWriter::create(path, m_info);
        if (writer)
            m_writer.emplace(std::move(*writer));
    }

    Result<void> writeTick()
    {
        m_last = m_session.next();
        truth.add(m_last);
        return m_writer->write(m_last, m_session.tables());
    }

    /// Once more what could not be written.
    Result<void> repeatTick() { return m_writer->write(m_last, m_session.tables()); }

    Result<void> finish()
    {
        m_info.state = SessionState::Complete;
        return m_writer->finish(m_info);
    }

    Truth truth;

private:
    tests::LongSession m_session;
    EventBatch m_last;
    SessionInfo m_info;
    std::optional<storage::SessionWriter> m_writer;
};

} // namespace

/// Windows of a long recording are exact for what they are snapped to, whichever levels they are read from.
class SessionLevelsTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }
    std::unique_ptr<Recorded> m_recorded;

    static void compareHeap(const Snapshot &snapshot, const Truth &truth)
    {
        std::map<std::uint32_t, HeapCost> expected = truth.heap(snapshot.span);
        for (const HeapCost &cost : snapshot.heap) {
            const HeapCost &wanted = expected[cost.stack.value];
            QCOMPARE(cost.allocations, wanted.allocations);
            QCOMPARE(cost.allocatedBytes, wanted.allocatedBytes);
            QCOMPARE(cost.frees, wanted.frees);
            QCOMPARE(cost.freedBytes, wanted.freedBytes);
            QCOMPARE(cost.temporaries, wanted.temporaries);
            QCOMPARE(cost.temporaryBytes, wanted.temporaryBytes);
            QCOMPARE(cost.liveBytes, wanted.liveBytes);
            QCOMPARE(cost.liveBlocks, wanted.liveBlocks);
            QCOMPARE(cost.liveBytesAtBegin, wanted.liveBytesAtBegin);
            QCOMPARE(cost.samples, wanted.samples);
            QVERIFY(std::abs(cost.liveVariance - std::max(wanted.liveVariance, 0.0)) < 1);
            expected.erase(cost.stack.value);
        }
        for (const auto &[stack, cost] : expected)
            QVERIFY(cost.allocations == 0 && cost.frees == 0 && cost.liveBlocks == 0 && cost.liveBlocksAtBegin == 0);
        for (std::size_t i = 0; i < snapshot.growthTimes.size(); ++i) {
            const auto then = truth.heap({snapshot.span.begin, snapshot.growthTimes[i]});
            for (const HeapGrowth &growth : snapshot.heapGrowth)
                if (const auto found = then.find(growth.stack.value); found != then.end())
                    QCOMPARE(growth.liveBytes.at(i), found->second.liveBytes);
        }
    }

    static void compareOthers(const Snapshot &snapshot, const Truth &truth)
    {
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> samples;
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> areas;
        std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, ActivityCost> activities;
        std::int64_t allocations = 0, lost = 0, most = 0, live = 0;
        truth.within(snapshot.span, [&](const EventBatch &batch) {
            for (const CpuDelta &delta : batch.cpu)
                samples[{delta.thread.value, delta.stack.value}] += delta.samples;
            for (const ActivityDelta &delta : batch.activities) {
                ActivityCost &sum = activities[{delta.thread.value, delta.activity.value, delta.stack.value}];
                sum.count += delta.count;
                sum.timeNs += delta.timeNs;
                sum.bytes += delta.bytes;
                sum.errors += delta.errors;
            }
            for (const AreaDelta &delta : batch.areas)
                areas[{delta.name.value, delta.stack.value}] += delta.allocatedBytes;
            for (const Loss &loss : batch.losses)
                lost += loss.count;
            allocations += batch.heapTicks.at(0).allocations;
            most = std::max(most, batch.heapTicks.at(0).mostLiveBytes);
            live = batch.heapTicks.at(0).liveBytes;
        });
        QCOMPARE(snapshot.cpu.size(), samples.size());
        for (const CpuCost &cost : snapshot.cpu)
            QCOMPARE(cost.samples, (samples[{cost.thread.value, cost.stack.value}]));
        QCOMPARE(snapshot.activities.size(), activities.size());
        for (const ActivityCost &cost : snapshot.activities) {
            const ActivityCost &wanted = activities[{cost.thread.value, cost.activity.value, cost.stack.value}];
            QCOMPARE(std::tuple(cost.count, cost.timeNs, cost.bytes, cost.errors),
                std::tuple(wanted.count, wanted.timeNs, wanted.bytes, wanted.errors));
        }
        for (const MemoryArea &area : snapshot.areas)
            for (const HeapCost &cost : area.costs)
                QCOMPARE(cost.allocatedBytes, (areas[{area.name.value, cost.stack.value}]));
        QCOMPARE(snapshot.heapSummary.allocations, allocations);
        QCOMPARE(snapshot.heapSummary.liveBytes, live);
        if (!snapshot.heapSummary.peakIsExact)
            QCOMPARE(snapshot.heapSummary.peakBytes, most);
        QCOMPARE(snapshot.cpuSummary.lost, lost);
        QCOMPARE(snapshot.damage, std::string());
    }

    /// The window that was asked for, and not a step more on either side.
    static void compareBounds(const Snapshot &snapshot, TimeRange asked)
    {
        QVERIFY(snapshot.span.begin <= asked.begin && asked.end <= snapshot.span.end);
        const auto stepAt = [&](Timestamp when) {
            for (const Resolution &part : snapshot.resolutions)
                if (part.span.contains(when))
                    return part.step.ns + Recorded::kLongestTickNs;
            return std::int64_t{0};
        };
        QVERIFY((asked.begin - snapshot.span.begin).ns < stepAt(asked.begin));
        QVERIFY((snapshot.span.end - asked.end).ns < stepAt({asked.end.ns - 1}));
    }

    static void compareWindows(storage::SessionReader &reader, const Truth &truth, int count, unsigned seed)
    {
        std::mt19937_64 random(seed);
        const auto end = static_cast<std::uint64_t>(truth.end().ns);
        for (int i = 0; i < count; ++i) {
            auto first = static_cast<std::int64_t>(random() % end), last = static_cast<std::int64_t>(random() % end);
            if (i % 3 == 1) // short
                last = std::min<std::int64_t>(
                    first + static_cast<std::int64_t>(random() % 600'000'000'000), truth.end().ns);
            if (i % 3 == 2) // new
                first = std::max<std::int64_t>(truth.end().ns - 7'200'000'000'000 + first % 7'000'000'000'000, 0);
            const TimeRange asked{{std::min(first, last)}, {std::min(std::max(first, last) + 1, truth.end().ns)}};
            const auto snapshot = reader.snapshot({.time = asked});
            VERIFY_RESULT(snapshot);
            compareBounds(**snapshot, asked);
            compareHeap(**snapshot, truth);
            compareOthers(**snapshot, truth);
            if (QTest::currentTestFailed()) {
                qWarning("window %lld to %lld ns, snapped to %lld to %lld", static_cast<long long>(asked.begin.ns),
                    static_cast<long long>(asked.end.ns), static_cast<long long>((*snapshot)->span.begin.ns),
                    static_cast<long long>((*snapshot)->span.end.ns));
                return;
            }
        }
    }

private Q_SLOTS:
    void followsARecordingWhoseOldPartsGetCoarser()
    {
        m_recorded = std::make_unique<Recorded>(file("long"));
        VERIFY_RESULT(m_recorded->writeTick());
        auto reader = storage::SessionReader::open(file("long"));
        VERIFY_RESULT(reader);
        for (int i = 1; i < Recorded::kTicks; ++i) {
            VERIFY_RESULT(m_recorded->writeTick());
            if (i % 23 == 0)
                VERIFY_RESULT(reader->poll());
            if (i % 150 == 0) {
                // Without a poll: rows that the reader knows of may be gone by now.
                compareWindows(*reader, m_recorded->truth, i % 300 == 0 ? 0 : 1, static_cast<unsigned>(i));
                VERIFY_RESULT(reader->poll());
                compareWindows(*reader, m_recorded->truth, 8, static_cast<unsigned>(i));
            }
            if (QTest::currentTestFailed())
                return;
        }
        VERIFY_RESULT(m_recorded->finish());
    }

    void addsUpAHundredWindowsExactly()
    {
        auto reader = storage::SessionReader::open(file("long"));
        VERIFY_RESULT(reader);
        compareWindows(*reader, m_recorded->truth, 100, 1);
        const auto whole = reader->snapshot({});
        VERIFY_RESULT(whole);
        QCOMPARE((*whole)->resolutions.size(), std::size_t{4});
        QCOMPARE((*whole)->span.begin.ns, std::int64_t{0});
        QCOMPARE((*whole)->span.end.ns, m_recorded->truth.end().ns);
        compareHeap(**whole, m_recorded->truth);
        compareOthers(**whole, m_recorded->truth);
        QVERIFY((*whole)->tickEnds.size() < Recorded::kTicks);
        QVERIFY((*whole)->coarsened.empty());
        // Medians of minutes outlast everything.
        QVERIFY((*whole)->metrics.at(0).times.size() > (*whole)->tickEnds.size());
        QVERIFY(std::is_sorted((*whole)->metrics.at(0).times.begin(), (*whole)->metrics.at(0).times.end()));
    }

    void keepsTheSumsThatItsViewsShow()
    {
        auto database = storage::Database::open(file("long"), storage::OpenMode::ReadWrite);
        VERIFY_RESULT(database);
        std::int64_t allocations = 0, bytes = 0, samples = 0, lost = 0;
        m_recorded->truth.within({{}, m_recorded->truth.end()}, [&](const EventBatch &batch) {
            for (const HeapDelta &delta : batch.heap) {
                allocations += delta.allocations;
                bytes += delta.allocatedBytes - delta.freedBytes;
            }
            for (const CpuDelta &delta : batch.cpu)
                samples += delta.samples;
            for (const Loss &loss : batch.losses)
                lost += loss.count;
        });
        QCOMPARE(*database->integer("SELECT allocations FROM v_session"), allocations);
        QCOMPARE(*database->integer("SELECT cpu_samples FROM v_session"), samples);
        QCOMPARE(*database->integer("SELECT lost FROM v_session"), lost);
        QCOMPARE(*database->integer("SELECT ticks FROM v_session"), std::int64_t{Recorded::kTicks});
        QCOMPARE(*database->integer("SELECT sum(allocated_bytes) - sum(freed_bytes) FROM heap"), bytes);
        QCOMPARE(*database->integer("SELECT sum(allocations) FROM v_timeline"), allocations);
        QCOMPARE(
            *database->integer("SELECT count(*) FROM v_metrics"), *database->integer("SELECT count(*) FROM v_bucket"));
    }

    void keepsToABudgetByMergingMore_data()
    {
        QTest::addColumn<int>("percent"); // of what it takes without one, for a day
        QTest::newRow("a little less") << 80;
        QTest::newRow("a fourth") << 25;
        QTest::newRow("less than its names and totals take") << 5;
    }
    void keepsToABudgetByMergingMore()
    {
        QFETCH(int, percent);
        std::error_code failure;
        const auto usual = static_cast<std::int64_t>(std::filesystem::file_size(file("long"), failure));
        const ByteBudget budget{usual * percent / 100, {24'000'000'000ll * 3600}};
        const std::string path = file("budget") + std::to_string(percent);
        Recorded recorded(path, budget);
        for (int i = 0; i < Recorded::kTicks; ++i)
            VERIFY_RESULT(recorded.writeTick());
        VERIFY_RESULT(recorded.finish());
        auto reader = storage::SessionReader::open(path);
        VERIFY_RESULT(reader);
        QVERIFY(reader->info().config.budget == budget);
        const auto whole = reader->snapshot({});
        VERIFY_RESULT(whole);
        QVERIFY2((*whole)->coarsened.find("instead of") != std::string::npos, (*whole)->coarsened.c_str());
        const double days = static_cast<double>(recorded.truth.end().ns) / static_cast<double>(budget.period.ns);
        const bool isKept = static_cast<double>((*whole)->fileBytes) <= static_cast<double>(budget.bytes) * days;
        QVERIFY2(isKept == (percent > 5), (*whole)->coarsened.c_str());
        QCOMPARE((*whole)->coarsened.find("more than its budget") == std::string::npos, isKept);
        // The newest is there tick by tick.
        QCOMPARE((*whole)->resolutions.back().step.ns, std::int64_t{0});
        QVERIFY((*whole)->resolutions.back().span.length().ns >= 120'000'000'000);
        // A fourth is kept by letting ten minutes expire too, hours in their stead.
        const std::int64_t coarsestNs = (*whole)->resolutions.front().step.ns;
        QCOMPARE(coarsestNs > 600'000'000'000, percent < 50);
        compareHeap(**whole, recorded.truth);
        compareWindows(*reader, recorded.truth, 30, 2);
    }

    void keepsNothingOfAFailedWrite()
    {
        // A write that fails where buckets end is repeated as a whole.
        Recorded recorded(file("failing"));
        for (int i = 0; i < 40; ++i)
            VERIFY_RESULT(recorded.writeTick());
        ::signal(SIGXFSZ, SIG_IGN);
        struct rlimit before = {};
        ::getrlimit(RLIMIT_FSIZE, &before);
        for (int round = 0; round < 20; ++round) {
            const struct rlimit limit = {4096, before.rlim_max};
            QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
            const auto failed = recorded.writeTick();
            QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
            QVERIFY(!failed);
            VERIFY_RESULT(recorded.repeatTick());
        }
        VERIFY_RESULT(recorded.finish());
        auto reader = storage::SessionReader::open(file("failing"));
        VERIFY_RESULT(reader);
        QVERIFY(!(*reader->snapshot({}))->heap.empty());
        compareWindows(*reader, recorded.truth, 30, 3);
    }
};

QTEST_APPLESS_MAIN(SessionLevelsTest)
#include "session_levels_integration_test.moc"
