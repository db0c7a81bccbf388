// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"
#include "tests/storage/sample_session.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

using namespace model;

class SessionRoundTripTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    std::shared_ptr<const Snapshot> readBack(const std::string &path, const Selection &selection = {})
    {
        auto reader = storage::SessionReader::open(path);
        if (!reader) {
            qWarning("%s", reader.error().text().c_str());
            return nullptr;
        }
        auto snapshot = reader->snapshot(selection);
        return snapshot ? *snapshot : nullptr;
    }

private Q_SLOTS:
    void keepsWhatTheSessionSaysAboutItself()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("info"), 2));
        const auto snapshot = readBack(file("info"));
        QVERIFY(snapshot);
        const SessionInfo &info = snapshot->info, &expected = sample.info();
        QCOMPARE(info.config.command, expected.config.command);
        QCOMPARE(info.config.workingDirectory, expected.config.workingDirectory);
        QCOMPARE(info.config.cpuHz, expected.config.cpuHz);
        QVERIFY(info.config.children == expected.config.children);
        QCOMPARE(info.config.heap, expected.config.heap);
        QCOMPARE(info.config.duration->ns, expected.config.duration->ns);
        QVERIFY(!info.config.attachPid);
        QCOMPARE(info.state, SessionState::Complete);
        QCOMPARE(info.startWallNs, expected.startWallNs);
        QCOMPARE(info.utcOffset, expected.utcOffset);
        QCOMPARE(info.host, expected.host);
        QCOMPARE(info.kernel, expected.kernel);
        QCOMPARE(info.cpuCount, expected.cpuCount);
        QCOMPARE(info.pageBytes, expected.pageBytes);
        QCOMPARE(info.recorderVersion, expected.recorderVersion);
        QCOMPARE(info.recorderPid, expected.recorderPid);
        QCOMPARE(info.controlAddress, expected.controlAddress);
        QCOMPARE(info.cpuEvent, expected.cpuEvent);
        QCOMPARE(info.cpuNote, expected.cpuNote);
        QCOMPARE(info.cpuMissing, expected.cpuMissing);
        QCOMPARE(info.activityNote, expected.activityNote);
        QVERIFY(info.config.systemCalls && info.config.waits);
        QCOMPARE(info.exitStatus.value(), 0);
        QCOMPARE(info.endReason, expected.endReason);
        QCOMPARE(info.duration.ns, 2 * SampleSession::kTickNs);
        QCOMPARE(snapshot->damage, std::string());
    }

    void keepsWhatCouldNotBeWritten()
    {
        SampleSession sample;
        auto writer = sample.begin(file("unwritten"), 2);
        VERIFY_RESULT(writer);
        sample.info().unwritten = model::Unwritten{
            .from = {3}, .length = {5}, .heapEvents = 7, .cpuSamples = 11, .reason = "the disk is full"};
        VERIFY_RESULT(writer->updateInfo(sample.info()));
        auto reader = storage::SessionReader::open(file("unwritten"));
        VERIFY_RESULT(reader);
        QVERIFY(reader->info().unwritten.has_value());
        const model::Unwritten found = *reader->info().unwritten;
        QCOMPARE(found.from.ns, 3);
        QCOMPARE(found.length.ns, 5);
        QCOMPARE(found.heapEvents, 7);
        QCOMPARE(found.cpuSamples, 11);
        QCOMPARE(found.reason, std::string("the disk is full"));
        // There was room again, and then the recorder was killed.
        VERIFY_RESULT(writer->write(sample.batch(2), sample.tables()));
        reader = storage::SessionReader::open(file("unwritten"));
        VERIFY_RESULT(reader);
        QVERIFY(!reader->info().unwritten);
        sample.info().unwritten.reset();
        VERIFY_RESULT(writer->finish(sample.info()));
        QVERIFY(!storage::SessionReader::open(file("unwritten"))->info().unwritten);
    }

    void tellsAQuotaFromAFullDisk()
    {
        QCOMPARE(storage::noRoomReason(ENOSPC), std::string("the disk is full; make room on it"));
        const std::string quota = storage::noRoomReason(EDQUOT);
        QVERIFY2(quota.find("quota") != std::string::npos && quota.find("full") == std::string::npos, quota.c_str());
        const storage::Database database = *storage::Database::open("", storage::OpenMode::Memory);
        const std::string text
            = storage::databaseError(database.handle(), "Cannot write", SQLITE_IOERR_WRITE, EDQUOT).text();
        QCOMPARE(text, "Cannot write: " + quota);
    }

    void keepsAllTables()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("tables"), 2, 7));
        const auto snapshot = readBack(file("tables"));
        QVERIFY(snapshot);
        const ProgramTables &found = *snapshot->tables, &expected = sample.tables().tables();
        QCOMPARE(found.strings, expected.strings);
        const auto same = [](const auto &a, const auto &b, auto fields) {
            return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                [&](const auto &x, const auto &y) { return fields(x) == fields(y); });
        };
        QVERIFY(same(
            found.modules, expected.modules, [](const Module &m) { return std::tuple(m.path, m.buildId, m.kind); }));
        QVERIFY(same(
            found.frames, expected.frames, [](const Frame &f) { return std::tuple(f.module, f.address, f.kind); }));
        QVERIFY(same(found.symbols, expected.symbols,
            [](const FrameSymbols &s) { return std::tuple(s.first, s.count, s.state); }));
        QVERIFY(same(
            found.lines, expected.lines, [](const SourceLine &l) { return std::tuple(l.function, l.file, l.line); }));
        QVERIFY(same(found.stacks, expected.stacks, [](const StackNode &s) { return std::tuple(s.parent, s.frame); }));
        QVERIFY(same(found.processes, expected.processes,
            [](const Process &p) { return std::tuple(p.pid, p.parent, p.start, p.end, p.waitStatus); }));
        QVERIFY(same(found.images, expected.images, [](const Image &i) {
            return std::tuple(i.process, i.epoch, i.executable, i.commandLine, i.start, i.end, i.heap, i.heapNote);
        }));
        QVERIFY(same(found.threads, expected.threads,
            [](const Thread &t) { return std::tuple(t.process, t.tid, t.name, t.start, t.end); }));
    }

    void keepsAllSeries()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("series"), 4));
        const auto snapshot = readBack(file("series"));
        QVERIFY(snapshot);
        QCOMPARE(snapshot->tickEnds.size(), std::size_t{4});
        QCOMPARE(snapshot->metrics.size(), std::size_t{1});
        const MetricSeries &metrics = snapshot->metrics.front();
        QCOMPARE(metrics.times.at(2).ns, 3 * SampleSession::kTickNs);
        QCOMPARE(metrics.values.at(2).get(Metric::Pss).value(), std::int64_t{1002});
        QVERIFY(!metrics.values.at(2).get(Metric::RssPeak));
        const HeapSeries &heap = snapshot->heapSeries.at(0);
        QCOMPARE(heap.ticks.size(), std::size_t{4});
        QCOMPARE(heap.ticks.back().liveBytes, std::int64_t{4 * 400});
        QCOMPARE(heap.ticks.back().leastLiveBytes, std::int64_t{4 * 400 - 600});
        QCOMPARE(heap.ticks.back().allocations, std::int64_t{6});
        QCOMPARE(snapshot->cpuSeries.at(0).samples.at(3), std::int64_t{6});
        QCOMPARE(snapshot->heapSizes.size(), std::size_t{4});
        QCOMPARE(int(snapshot->heapSizes.at(1).bin), 12);
        QCOMPARE(snapshot->heapSizes.at(1).bytes, std::int64_t{600});
        QCOMPARE(snapshot->heapSizes.at(1).span.begin.ns, SampleSession::kTickNs);
        QCOMPARE(snapshot->marks.at(3).text, std::string("mark 3"));
        QCOMPARE(snapshot->gaps.at(3).span.end.ns, 3 * SampleSession::kTickNs + 5);
        QCOMPARE(snapshot->losses.size(), std::size_t{2});
        QCOMPARE(snapshot->losses.at(0).count, std::int64_t{0 + 1 + 2 + 3});
        QCOMPARE(snapshot->losses.at(0).detail, std::string("ring"));
        QVERIFY(!snapshot->losses.at(1).image.isValid());
        QCOMPARE(snapshot->recorderCpuNs, std::int64_t{4000});
        QCOMPARE(snapshot->recorderRssBytes, std::int64_t{4 * 4096});
    }

    void keepsSystemCallsAndWaits()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("activity"), 10));
        const auto snapshot = readBack(file("activity"));
        QVERIFY(snapshot);
        QCOMPARE(snapshot->activities.size(), std::size_t{4});
        for (const ActivityCost &row : snapshot->activities) {
            if (row.activity.isWait()) {
                QVERIFY(row.activity == Activity::wait(WaitClass::Lock));
                QCOMPARE(row.count, std::int64_t{10});
                QCOMPARE(row.timeNs, SampleSession::kTickNs);
                continue;
            }
            QCOMPARE(row.count, 10 * (row.timeNs / 10'000));
            QCOMPARE(row.bytes, 10 * row.count);
            QCOMPARE(row.ownStacks, std::int64_t{10});
            QCOMPARE(row.estimated, std::int64_t{5});
        }
        Selection one;
        one.time = TimeRange{{2 * SampleSession::kTickNs}, {3 * SampleSession::kTickNs}};
        one.thread = sample.thread();
        const auto window = readBack(file("activity"), one);
        QVERIFY(window);
        QCOMPARE(window->activities.size(), std::size_t{3});
        std::int64_t calls = 0;
        for (const ActivityCost &row : window->activities)
            calls += row.count;
        QCOMPARE(calls, std::int64_t{1 + 2 + 3});
    }

    void addsUpCostsOfTheWholeRecording()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("costs"), 10));
        const auto snapshot = readBack(file("costs"));
        QVERIFY(snapshot);
        QCOMPARE(snapshot->heap.size(), std::size_t{3});
        const HeapCost &third = snapshot->heap.at(2);
        QCOMPARE(third.stack.value, sample.stackAt(2).value);
        QCOMPARE(third.allocations, std::int64_t{30});
        QCOMPARE(third.allocatedBytes, std::int64_t{3000});
        QCOMPARE(third.frees, std::int64_t{10});
        QCOMPARE(third.temporaries, std::int64_t{10});
        QCOMPARE(third.temporaryBytes, std::int64_t{1000});
        QCOMPARE(third.liveBytes, std::int64_t{2000});
        QCOMPARE(third.liveBlocks, std::int64_t{20});
        QCOMPARE(third.liveBytesAtBegin, std::int64_t{0});
        QCOMPARE(third.peakBytes, std::int64_t{2000});
        QVERIFY(snapshot->heapSummary.peakIsExact);
        QCOMPARE(snapshot->heapSummary.peakBytes, std::int64_t{4000});
        QCOMPARE(snapshot->heapSummary.peakBlocks, std::int64_t{40});
        QCOMPARE(snapshot->heapSummary.liveBytes, std::int64_t{4000});
        QCOMPARE(snapshot->heapSummary.allocations, std::int64_t{60});
        QCOMPARE(snapshot->cpuSummary.samples, std::int64_t{(2 + 11) * 10 / 2 + 10});
        QCOMPARE(snapshot->cpuSummary.timeNs, snapshot->cpuSummary.samples * 10'000'000);
        QCOMPARE(snapshot->cpuSummary.lost, std::int64_t{10});
        QCOMPARE(snapshot->stackQuality.distinct, std::int64_t{3});
        QCOMPARE(snapshot->growthTimes.size(), std::size_t{10});
        QCOMPARE(snapshot->heapGrowth.size(), std::size_t{3});
        QCOMPARE(snapshot->heapGrowth.at(0).liveBytes.back(), std::int64_t{2000});
        QCOMPARE(snapshot->heapGrowth.at(0).liveBytes.front(), std::int64_t{200});
    }

    /// What an image that has ended left is gone, however long the recording goes on.
    void keepsNothingForImagesThatEnded()
    {
        SampleSession sample;
        auto writer = sample.begin(file("ended"), 0);
        VERIFY_RESULT(writer);
        for (int i = 0; i < 10; ++i) {
            if (i == 5)
                sample.tables().changeImage(ImageId(0u)).end = Timestamp{4 * SampleSession::kTickNs + 5};
            VERIFY_RESULT(writer->write(sample.batch(i), sample.tables()));
        }
        VERIFY_RESULT(writer->finish(sample.info()));
        auto reader = storage::SessionReader::open(file("ended"));
        VERIFY_RESULT(reader);
        const auto snapshot = reader->snapshot({});
        VERIFY_RESULT(snapshot);
        const HeapGrowth &row = (*snapshot)->heapGrowth.at(0);
        QVERIFY(
            row.liveBytes.at(3) > 0 && row.liveBytes.at(4) > row.liveBytes.at(3)); // it ended within the fifth second
        QCOMPARE(row.liveBytes.at(5), std::int64_t{0});
        QCOMPARE(row.liveBlocks.back(), std::int64_t{0});
    }

    void addsUpTheSameRowTwiceInABatch()
    {
        SampleSession sample;
        auto writer = sample.begin(file("twice"), 0);
        VERIFY_RESULT(writer);
        EventBatch batch = sample.batch(0), copy = batch;
        batch.heap.insert(batch.heap.end(), copy.heap.begin(), copy.heap.end());
        batch.cpu.insert(batch.cpu.end(), copy.cpu.begin(), copy.cpu.end());
        batch.heapSizes.insert(batch.heapSizes.end(), copy.heapSizes.begin(), copy.heapSizes.end());
        VERIFY_RESULT(writer->write(batch, sample.tables()));
        VERIFY_RESULT(writer->finish(sample.info()));
        const auto snapshot = readBack(file("twice"));
        QCOMPARE(snapshot->heap.at(2).allocations, std::int64_t{6});
        QCOMPARE(snapshot->cpuSummary.samples, std::int64_t{6});
        QCOMPARE(snapshot->heapSizes.at(0).allocations, std::int64_t{12});
    }

    void forgetsStacksThatLeftThePeak()
    {
        SampleSession sample;
        auto writer = sample.begin(file("peak"), 1);
        VERIFY_RESULT(writer);
        EventBatch batch;
        batch.span = {{SampleSession::kTickNs}, {2 * SampleSession::kTickNs}};
        batch.heapTicks.push_back({.image = sample.image(),
            .liveBytes = 9000,
            .liveBlocks = 1,
            .leastLiveBytes = 400,
            .mostLiveBytes = 9000,
            .allocations = 1,
            .allocatedBytes = 9000});
        batch.heapPeaks.push_back({sample.image(), {1'500'000'000}, 9000, 1});
        batch.heapPeakRows.push_back({sample.image(), sample.stackAt(0), 0, 0});
        batch.heapPeakRows.push_back({sample.image(), sample.stackAt(1), 9000, 1});
        VERIFY_RESULT(writer->write(batch, sample.tables()));
        VERIFY_RESULT(writer->finish(sample.info()));
        const auto snapshot = readBack(file("peak"));
        QCOMPARE(snapshot->heap.at(0).peakBytes, std::int64_t{0});
        QCOMPARE(snapshot->heap.at(1).peakBytes, std::int64_t{9000});
        QCOMPARE(snapshot->heapSummary.peakWhen.ns, std::int64_t{1'500'000'000});
    }

    void leavesOneFileForItsOwnerOnly()
    {
        const mode_t before = ::umask(0);
        SampleSession sample;
        auto writer = sample.begin(file("mode"), 3);
        for (const char *suffix : {"", "-wal", "-shm"}) {
            struct stat status = {};
            QCOMPARE(::stat((file("mode") + suffix).c_str(), &status), 0);
            QCOMPARE(int(status.st_mode & 0777), 0600);
        }
        VERIFY_RESULT(writer->finish(sample.info()));
        ::umask(before);
        struct stat status = {};
        QCOMPARE(::stat(file("mode").c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0600);
        for (const auto &entry : std::filesystem::directory_iterator(m_folder.path().toStdString()))
            QVERIFY2(entry.path().filename().string().find("mode") != 0 || entry.path().filename() == "mode",
                entry.path().c_str());
    }

    void refusesAFileThatExists()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("exists"), 1));
        const auto again = storage::SessionWriter::create(file("exists"), sample.info());
        QVERIFY(!again);
        QVERIFY(again.error().text().find("exists already; choose another name") != std::string::npos);
        QVERIFY(readBack(file("exists")));
        const auto nowhere = storage::SessionWriter::create(file("no/such/folder"), sample.info());
        QVERIFY(!nowhere);
        QVERIFY(nowhere.error().text().find("folder does not exist") != std::string::npos);
    }

    void writesSymbolsAfterTheLastTick()
    {
        SampleSession sample;
        auto writer = sample.begin(file("late"), 2);
        VERIFY_RESULT(writer);
        const FrameId late = sample.tables().frame(ModuleId(0u), 0x9999, FrameKind::Exact);
        VERIFY_RESULT(writer->write(EventBatch{}, sample.tables()));
        sample.tables().setSymbols(late, FrameSymbols::State::NoSymbol, {});
        VERIFY_RESULT(writer->write(EventBatch{}, sample.tables()));
        VERIFY_RESULT(writer->finish(sample.info()));
        const auto snapshot = readBack(file("late"));
        QCOMPARE(snapshot->tickEnds.size(), std::size_t{2});
        QCOMPARE(snapshot->tables->symbols.at(late.index()).state, FrameSymbols::State::NoSymbol);
        QVERIFY(!writer->write(EventBatch{}, sample.tables()));
    }
};

QTEST_APPLESS_MAIN(SessionRoundTripTest)
#include "session_round_trip_test.moc"
