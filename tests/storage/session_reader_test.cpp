// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/storage/sample_session.h"

#include <map>
#include <random>

using namespace model;

class SessionReaderTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    static Selection during(std::int64_t begin, std::int64_t end)
    {
        return {.time = TimeRange{{begin * SampleSession::kTickNs}, {end * SampleSession::kTickNs}}};
    }

private Q_SLOTS:
    void readsProcessesWhateverOrderTheyChangedIn()
    {
        SampleSession sample;
        auto writer = sample.begin(file("order"), 0);
        VERIFY_RESULT(writer);
        const auto first = static_cast<std::uint32_t>(sample.tables().tables().processes.size());
        // A child that was seen before its parent, and rows that change in an order of their own.
        const ProcessId child = sample.tables().addProcess({.pid = 71, .parent = ProcessId(first + 1)});
        const ProcessId parent = sample.tables().addProcess({.pid = 70});
        VERIFY_RESULT(writer->write(sample.batch(0, 2), sample.tables()));
        sample.tables().changeProcess(child).end = Timestamp{5};
        VERIFY_RESULT(writer->write(sample.batch(1, 2), sample.tables()));
        auto reader = storage::SessionReader::open(file("order"));
        VERIFY_RESULT(reader);
        const auto snapshot = reader->snapshot({});
        VERIFY_RESULT(snapshot);
        QCOMPARE((*snapshot)->damage, std::string());
        QCOMPARE((*snapshot)->tables->processes.at(child.index()).parent.value, parent.value);
        QCOMPARE((*snapshot)->tables->processes.at(parent.index()).pid, 70);
    }

    /// As shells make them of "$FOLDER/" + "/name".
    void opensPathsWithSeveralSlashes()
    {
        SampleSession sample;
        const std::string path = "/" + file("slashes");
        QVERIFY(path.starts_with("//"));
        VERIFY_RESULT(sample.make(path, 2));
        for (const std::string &name : {path, "/" + path}) {
            auto reader = storage::SessionReader::open(name);
            VERIFY_RESULT(reader);
            QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{2});
        }
        const auto missing = storage::SessionWriter::create("/" + file("no folder/x"), sample.info());
        QVERIFY(!missing && missing.error().text().find("no folder/x") != std::string::npos);
    }

    void addsUpAnyWindowExactly()
    {
        constexpr int kTicks = 200, kStacks = 40;
        SampleSession sample;
        std::vector<EventBatch> batches;
        auto writer = sample.begin(file("windows"), 0);
        VERIFY_RESULT(writer);
        std::mt19937 random(7);
        for (int i = 0; i < kTicks; ++i) {
            EventBatch batch = sample.batch(i, kStacks);
            // What changes differs from tick to tick, as in life.
            std::erase_if(batch.heap, [&](const HeapDelta &) { return random() % 3 == 0; });
            batches.push_back(batch);
            VERIFY_RESULT(writer->write(batch, sample.tables()));
        }
        auto reader = storage::SessionReader::open(file("windows"));
        VERIFY_RESULT(reader);
        for (int round = 0; round < 40; ++round) {
            const auto begin = static_cast<std::int64_t>(random() % kTicks);
            const auto end = begin + 1 + static_cast<std::int64_t>(random()) % (kTicks - begin);
            const auto snapshot = reader->snapshot(during(begin, end));
            VERIFY_RESULT(snapshot);
            std::map<std::uint32_t, HeapCost> expected;
            std::map<std::tuple<std::uint32_t, std::uint32_t>, std::int64_t> samples;
            for (int i = 0; i < kTicks; ++i) {
                for (const HeapDelta &delta : batches[static_cast<std::size_t>(i)].heap) {
                    HeapCost &cost = expected[delta.stack.value];
                    if (i < begin)
                        cost.liveBytesAtBegin += delta.allocatedBytes - delta.freedBytes;
                    if (i < end)
                        cost.liveBytes += delta.allocatedBytes - delta.freedBytes;
                    if (i >= begin && i < end)
                        cost.allocations += delta.allocations;
                }
                for (const CpuDelta &delta : batches[static_cast<std::size_t>(i)].cpu)
                    if (i >= begin && i < end)
                        samples[{delta.thread.value, delta.stack.value}] += delta.samples;
            }
            for (const HeapCost &cost : (*snapshot)->heap) {
                QCOMPARE(cost.allocations, expected[cost.stack.value].allocations);
                QCOMPARE(cost.liveBytes, expected[cost.stack.value].liveBytes);
                QCOMPARE(cost.liveBytesAtBegin, expected[cost.stack.value].liveBytesAtBegin);
                expected.erase(cost.stack.value);
            }
            for (const auto &[stack, cost] : expected)
                QVERIFY(cost.allocations == 0 && cost.liveBytes == 0);
            for (const CpuCost &cost : (*snapshot)->cpu)
                QCOMPARE(cost.samples, (samples[{cost.thread.value, cost.stack.value}]));
            QCOMPARE((*snapshot)->cpu.size(), samples.size());
            for (const HeapGrowth &growth : (*snapshot)->heapGrowth)
                QCOMPARE(growth.liveBytes.size(), (*snapshot)->growthTimes.size());
        }
    }

    /// What a program left behind counts where it ended, and not later: of many that run one after the other it would add up.
    void countsWhatIsLeftBehindWhereTheProgramEnds()
    {
        SampleSession sample;
        auto writer = sample.begin(file("left"), 5);
        VERIFY_RESULT(writer);
        sample.tables().changeImage(sample.image()).end = Timestamp{4'500'000'000};
        for (int i = 5; i < 10; ++i) {
            EventBatch batch = sample.batch(i, 3);
            batch.heap.clear();
            batch.heapTicks.clear();
            VERIFY_RESULT(writer->write(batch, sample.tables()));
        }
        auto reader = storage::SessionReader::open(file("left"));
        VERIFY_RESULT(reader);
        const auto live = [&](std::int64_t begin, std::int64_t end) {
            const auto snapshot = reader->snapshot(during(begin, end));
            return snapshot ? (*snapshot)->heapSummary.liveBytes : -1;
        };
        QCOMPARE(live(0, 10), std::int64_t{5 * 400});
        QCOMPARE(live(4, 6), std::int64_t{5 * 400});
        QCOMPARE(live(5, 6), std::int64_t{0});
        QCOMPARE(live(6, 10), std::int64_t{0});
    }

    void snapsAWindowToWholeTicks()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("snap"), 10));
        auto reader = storage::SessionReader::open(file("snap"));
        VERIFY_RESULT(reader);
        Selection selection{.time = TimeRange{{2'500'000'000}, {4'000'000'001}}};
        auto snapshot = reader->snapshot(selection);
        VERIFY_RESULT(snapshot);
        QCOMPARE((*snapshot)->span.begin.ns, std::int64_t{2'000'000'000});
        QCOMPARE((*snapshot)->span.end.ns, std::int64_t{5'000'000'000});
        QCOMPARE((*snapshot)->heapSummary.allocations, std::int64_t{18});
        QCOMPARE((*snapshot)->heapSummary.liveBytes, std::int64_t{5 * 400});
        QCOMPARE((*snapshot)->cpuSummary.lost, std::int64_t{3});
        selection.time = TimeRange{{90'000'000'000}, {91'000'000'000}};
        snapshot = reader->snapshot(selection);
        VERIFY_RESULT(snapshot);
        QVERIFY((*snapshot)->span.isEmpty());
        QVERIFY((*snapshot)->cpu.empty());
        QCOMPARE((*snapshot)->heapSummary.allocations, std::int64_t{0});
    }

    void showsThePeakOfAWindow()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("peaks"), 10));
        auto reader = storage::SessionReader::open(file("peaks"));
        const auto early = reader->snapshot(during(0, 4)), late = reader->snapshot(during(8, 10));
        VERIFY_RESULT(early);
        QVERIFY(!(*early)->heapSummary.peakIsExact);
        QCOMPARE((*early)->heapSummary.peakBytes, std::int64_t{4 * 400});
        QCOMPARE((*early)->heap.at(2).peakBytes, std::int64_t{4 * 200});
        QVERIFY((*late)->heapSummary.peakIsExact);
        QCOMPARE((*late)->heapSummary.peakBytes, std::int64_t{4000});
    }

    void filtersByProcessAndThread()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("filter"), 5));
        auto reader = storage::SessionReader::open(file("filter"));
        const auto thread = reader->snapshot({.thread = ThreadId(1u)});
        QCOMPARE((*thread)->cpuSummary.samples, std::int64_t{5});
        QCOMPARE((*thread)->heapSummary.allocations, std::int64_t{30});
        const auto child = reader->snapshot({.process = ProcessId(1u)});
        QVERIFY((*child)->heap.empty());
        QVERIFY((*child)->cpu.empty());
        QVERIFY((*child)->metrics.empty());
        const auto nobody = reader->snapshot({.process = ProcessId(77u)});
        QVERIFY((*nobody)->heap.empty());
    }

    void followsAGrowingSessionToItsEnd()
    {
        SampleSession sample;
        auto writer = sample.begin(file("grow"), 1);
        VERIFY_RESULT(writer);
        auto reader = storage::SessionReader::open(file("grow"));
        VERIFY_RESULT(reader);
        QCOMPARE(reader->info().state, SessionState::Recording);
        auto changed = reader->poll();
        QVERIFY(changed && !*changed);
        for (int i = 1; i < 6; ++i) {
            VERIFY_RESULT(writer->write(sample.batch(i, 3 + i), sample.tables()));
            changed = reader->poll();
            QVERIFY(changed && *changed);
            const auto snapshot = reader->snapshot({});
            QCOMPARE((*snapshot)->tickEnds.size(), static_cast<std::size_t>(i + 1));
            QCOMPARE((*snapshot)->tables->stacks.size(), sample.tables().tables().stacks.size());
            QCOMPARE((*snapshot)->tables->lines.size(), sample.tables().tables().lines.size());
        }
        sample.info().state = SessionState::Stopping;
        VERIFY_RESULT(writer->updateInfo(sample.info()));
        QVERIFY(*reader->poll());
        QCOMPARE(reader->info().state, SessionState::Stopping);
        sample.info().state = SessionState::Complete;
        VERIFY_RESULT(writer->finish(sample.info()));
        QVERIFY(*reader->poll());
        QCOMPARE(reader->info().state, SessionState::Complete);
        const auto whole = reader->snapshot(during(0, 3));
        VERIFY_RESULT(whole);
        QCOMPARE((*whole)->heapSummary.allocations, std::int64_t{6 + 10 + 15});
        QVERIFY(!*reader->poll());
        QCOMPARE((*whole)->damage, std::string());
    }

    void keepsOldSnapshotsAsTheyWere()
    {
        SampleSession sample;
        auto writer = sample.begin(file("immutable"), 1);
        auto reader = storage::SessionReader::open(file("immutable"));
        const auto before = *reader->snapshot({});
        const std::size_t stacks = before->tables->stacks.size();
        VERIFY_RESULT(writer->write(sample.batch(1, 20), sample.tables()));
        VERIFY_RESULT(reader->poll());
        QCOMPARE(before->tables->stacks.size(), stacks);
        QVERIFY((*reader->snapshot({}))->tables->stacks.size() > stacks);
    }

    void startsAnewWhenAnotherSessionTakesThePlace()
    {
        SampleSession first, second;
        VERIFY_RESULT(first.make(file("place"), 5));
        VERIFY_RESULT(second.make(file("other"), 2));
        auto reader = storage::SessionReader::open(file("place"));
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{5});
        QCOMPARE(std::rename(file("other").c_str(), file("place").c_str()), 0);
        QVERIFY(*reader->poll());
        QCOMPARE((*reader->snapshot({}))->tickEnds.size(), std::size_t{2});
    }

    void stopsOnRequest()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("stop"), 3));
        auto reader = storage::SessionReader::open(file("stop"));
        std::stop_source source;
        source.request_stop();
        const auto snapshot = reader->snapshot(during(1, 2), source.get_token());
        QVERIFY(!snapshot);
        QVERIFY(snapshot.error().text().find("stopped on request") != std::string::npos);
        VERIFY_RESULT(reader->snapshot(during(1, 2)));
    }
};

QTEST_APPLESS_MAIN(SessionReaderTest)
#include "session_reader_test.moc"
