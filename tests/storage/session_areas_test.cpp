// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/soak_places.h"
#include "storage/database.h"
#include "tests/storage/sample_session.h"

using namespace model;

/// Pools, mappings, phases and the parts of the resident memory come back as they were written.
class SessionAreasTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::string file(const char *name) const { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); }

    static const MemoryArea *areaOf(const Snapshot &snapshot, AreaKind kind)
    {
        for (const MemoryArea &area : snapshot.areas)
            if (area.kind == kind)
                return &area;
        return nullptr;
    }

private Q_SLOTS:
    void addsUpAreasOfTheWholeRecording()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("whole"), 10));
        auto reader = storage::SessionReader::open(file("whole"));
        VERIFY_RESULT(reader);
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->damage, std::string());
        const MemoryArea *pool = areaOf(*snapshot, AreaKind::Pool);
        QVERIFY(pool);
        QCOMPARE(snapshot->tables->text(pool->name), std::string("arena"));
        QCOMPARE(pool->total.allocations, std::int64_t{20});
        QCOMPARE(pool->total.liveBytes, std::int64_t{500});
        QCOMPARE(pool->total.liveBlocks, std::int64_t{10});
        QCOMPARE(pool->total.peakBytes, std::int64_t{550});
        QCOMPARE(pool->costs.size(), std::size_t{1});
        const MemoryArea *mapping = areaOf(*snapshot, AreaKind::Mapping);
        QVERIFY(mapping);
        QCOMPARE(mapping->total.liveBytes, std::int64_t{4096});
        QCOMPARE(snapshot->heapSummary.allocations, std::int64_t{60}); // none of it among the heap's
    }

    void cutsAreasToTheSelection()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("window"), 10));
        auto reader = storage::SessionReader::open(file("window"));
        VERIFY_RESULT(reader);
        Selection selection;
        selection.time = TimeRange{{2 * SampleSession::kTickNs}, {5 * SampleSession::kTickNs}};
        const auto snapshot = *reader->snapshot(selection);
        const MemoryArea *pool = areaOf(*snapshot, AreaKind::Pool);
        QVERIFY(pool);
        QCOMPARE(pool->total.allocations, std::int64_t{6});
        QCOMPARE(pool->total.liveBytesAtBegin, std::int64_t{100});
        QCOMPARE(pool->total.liveBytes, std::int64_t{250});
        QCOMPARE(pool->total.peakBytes, std::int64_t{300});
        const MemoryArea *mapping = areaOf(*snapshot, AreaKind::Mapping); // from before, and still there
        QVERIFY(mapping);
        QCOMPARE(mapping->total.allocations, std::int64_t{0});
        QCOMPARE(mapping->total.liveBytes, std::int64_t{4096});
        QCOMPARE(mapping->total.peakBytes, std::int64_t{4096});
    }

    void keepsScansForLostMemory()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("scans"), 4));
        auto reader = storage::SessionReader::open(file("scans"));
        VERIFY_RESULT(reader);
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->damage, std::string());
        QCOMPARE(snapshot->scans.size(), std::size_t{4});
        const MemoryScan &read = *snapshot->scans[3];
        const MemoryScan wrote = sample.scan(3);
        QCOMPARE(read.id, 4u);
        QCOMPARE(read.when.ns, wrote.when.ns);
        QCOMPARE(int(read.proof), int(ScanProof::LowerBound));
        QCOMPARE(read.limits, std::string("attached"));
        QCOMPARE(read.confirms, 3u);
        QCOMPARE(read.stopNs, wrote.stopNs);
        QCOMPARE(read.analysisNs + read.scannedBytes + read.unreadableBytes + read.threads + read.missedThreads
                + read.interruptedCalls + read.minAgeNs,
            std::int64_t{2 + 3 + 4 + 5 + 6 + 7 + 8});
        QVERIFY(read.sums == wrote.sums && read.confirmed == wrote.confirmed);
        QCOMPARE(read.stacks.size(), std::size_t{2});
        QVERIFY(read.stacks[0].sums == wrote.stacks[0].sums && read.stacks[0].stack == wrote.stacks[0].stack);
        QVERIFY(read.stacks[0].confirmed == wrote.stacks[0].confirmed && read.stacks[0].held == wrote.stacks[0].held);
        QVERIFY(read.stacks[1].retained == wrote.stacks[1].retained);
        QCOMPARE(read.paths.size(), std::size_t{2});
        QCOMPARE(read.paths[0].root, std::string("variables of demo"));
        QCOMPARE(read.paths[0].way.size(), std::size_t{2});
        QCOMPARE(read.paths[0].way[1].blocks, std::int64_t{9});
        QVERIFY(read.paths[0].retained == wrote.paths[0].retained);
        Selection other;
        other.process = ProcessId(1u);
        QVERIFY((*reader->snapshot(other))->scans.empty());
    }

    void keepsPhasesAndParts()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("phases"), 4));
        auto reader = storage::SessionReader::open(file("phases"));
        VERIFY_RESULT(reader);
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->phases.size(), std::size_t{4});
        QCOMPARE(snapshot->phases[1].name, std::string("phase 1"));
        QCOMPARE(snapshot->phases[1].begin.ns, SampleSession::kTickNs + 3);
        QCOMPARE(snapshot->phases[1].end->ns, 2 * SampleSession::kTickNs + 1);
        QVERIFY(!snapshot->phases[3].end);
        QCOMPARE(snapshot->memoryParts.size(), std::size_t{1});
        const MemoryPartsSeries &parts = snapshot->memoryParts[0];
        QCOMPARE(parts.values.size(), std::size_t{4});
        QCOMPARE(parts.values[2].heap, std::int64_t{102});
        QCOMPARE(parts.values[2].tracer, std::int64_t{60});
        QVERIFY(parts.values[2].isMeasured && !parts.values[3].isMeasured);
    }

    /// A step from every event to samples: what is live from then on is an estimate; what had been freed was counted.
    void keepsHowTheHeapWasRecorded()
    {
        SampleSession sample;
        auto writer = sample.begin(file("modes"), 3);
        VERIFY_RESULT(writer);
        EventBatch batch = sample.batch(3);
        const HeapDelta before = batch.heap.front();
        batch.heap.front().frees -= 1000;
        batch.heap.front().freedBytes -= 100'000;
        batch.heapSampling.push_back({before.image, before.stack, {0, 0, 0, -100, -2.5e9, 65536}, 65536});
        const Timestamp when{3 * SampleSession::kTickNs + 5};
        batch.heapModes.push_back(
            {before.image, when, 65536, HeapModeCause::Budget, 50'000, 500, 150'000, 1500, 2.5e9});
        VERIFY_RESULT(writer->write(batch, sample.tables()));
        auto reader = storage::SessionReader::open(file("modes"));
        VERIFY_RESULT(reader);
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->damage, std::string());
        QCOMPARE(snapshot->heapModes.size(), std::size_t{2});
        QCOMPARE(snapshot->heapModes[0].periodBytes, std::int64_t{1});
        const HeapModeChange &step = snapshot->heapModes[1];
        QCOMPARE(step.when, when);
        QCOMPARE(step.periodBytes, std::int64_t{65536});
        QCOMPARE(int(step.cause), int(HeapModeCause::Budget));
        QCOMPARE(step.liveBytesAfter - step.liveBytesBefore, std::int64_t{100'000});
        QCOMPARE(step.liveBlocksBefore, std::int64_t{500});
        QCOMPARE(step.liveVariance, 2.5e9);
        // The window that ends before it knows nothing of it; the one that begins before holds its jump.
        Selection early;
        early.time = TimeRange{{0}, {3 * SampleSession::kTickNs}};
        const auto wasLive = [&](const Snapshot &one) {
            std::int64_t live = 0;
            for (const HeapCost &cost : one.heap)
                live += cost.image == before.image && cost.stack == before.stack ? cost.liveBytes : 0;
            return live;
        };
        QCOMPARE(wasLive(*snapshot) - wasLive(**reader->snapshot(early)),
            before.allocatedBytes - before.freedBytes + 100'000);
        std::int64_t frees = 0;
        for (const HeapSeries &series : snapshot->heapSeries)
            for (const HeapTick &tick : series.ticks)
                frees += tick.frees;
        QCOMPARE(snapshot->heapSummary.frees, frees);
        for (const HeapCost &cost : snapshot->heap)
            QVERIFY(cost.image != before.image
                || (cost.frees >= cost.temporaries && cost.freedBytes >= cost.temporaryBytes));
    }

    void keepsAlerts()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("alerts"), 3));
        auto reader = storage::SessionReader::open(file("alerts"));
        VERIFY_RESULT(reader);
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->alerts.size(), std::size_t{3});
        const AlertEvent &alert = snapshot->alerts[1];
        QCOMPARE(alert.rule, std::string("rule 1"));
        QCOMPARE(alert.fired.ns, SampleSession::kTickNs + 1);
        QCOMPARE(alert.ended->ns, 2 * SampleSession::kTickNs + 2);
        QCOMPARE(alert.value, 2000.5);
        QCOMPARE(alert.unit, Unit::Bytes);
        QVERIFY(!snapshot->alerts[2].ended);
    }

    void keepsStabilityTests()
    {
        SampleSession sample;
        auto writer = sample.begin(file("soak"), 2);
        VERIFY_RESULT(writer);
        auto reader = storage::SessionReader::open(file("soak"));
        VERIFY_RESULT(reader);
        QCOMPARE((*reader->snapshot({}))->soak->points.size(), std::size_t{2});
        VERIFY_RESULT(writer->write(sample.batch(2), sample.tables()));
        EventBatch late; // of no tick
        late.span = {{3 * SampleSession::kTickNs}, {3 * SampleSession::kTickNs}};
        late.soak.end = SoakEnd{SoakOutcome::Leaking, true, "why", "what was said"};
        VERIFY_RESULT(writer->write(late, sample.tables()));
        VERIFY_RESULT(reader->poll());
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->tickEnds.size(), std::size_t{3});
        const SoakRecord &soak = *snapshot->soak;
        QCOMPARE(soak.plan->length.ns, std::int64_t{3'600'000'000'000});
        QCOMPARE(soak.plan->mostGrowth, 0.25);
        QCOMPARE(soak.plan->period.ns, std::int64_t{600'000'000'000});
        QVERIFY(soak.plan->stopEarly == StopEarly::Fail);
        QCOMPARE(soak.legs.size(), std::size_t{2});
        QCOMPARE(soak.legs[0].file, std::string("demo.part1.gprof-session"));
        QCOMPARE(soak.legs[1].beganBootNs, std::int64_t{86'400'000'000'000});
        QCOMPARE(soak.loads.size(), std::size_t{1});
        QCOMPARE(soak.loads[0].starts, std::int64_t{3});
        QCOMPARE(soak.points.size(), std::size_t{3});
        QCOMPARE(soak.points[2].value, 1e6 + 2);
        QCOMPARE(soak.exclusions[0].reason, std::string("it is not recorded."));
        QVERIFY(soak.checks.size() == 3 && std::isinf(soak.checks[1].high));
        QVERIFY(soak.end->outcome == SoakOutcome::Leaking && soak.end->isWhole);
        QCOMPARE(soak.end->sentence, std::string("what was said"));
        // What grew is looked for behind the warm-up, by everybody.
        using Parts = storage::SessionReader::Parts;
        const auto aged = *reader->snapshot({}, {}, Parts::WithAges);
        QVERIFY(aged->afterWarmup);
        QCOMPARE(aged->afterWarmup->selection.time, soakGrowthSpan(*aged));
        QCOMPARE((*reader->snapshot({}, {}, Parts::WithAges))->afterWarmup, aged->afterWarmup); // made once
        QVERIFY(!(*reader->snapshot({}))->afterWarmup);
    }

    void accusationsAndTheDiskAreReadBack()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("claims"), 3));
        auto reader = storage::SessionReader::open(file("claims"));
        VERIFY_RESULT(reader->poll());
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->info.disk, std::string("/data"));
        QCOMPARE(snapshot->leakClaims.size(), std::size_t{3});
        const LeakClaim &claim = snapshot->leakClaims[1];
        QCOMPARE(claim.accused.ns, SampleSession::kTickNs);
        QCOMPARE(claim.accusedOf, std::int64_t{50});
        QCOMPARE(claim.alive, std::int64_t{10});
        QCOMPARE(claim.withdrawn->ns, 2 * SampleSession::kTickNs);
        QVERIFY(!snapshot->leakClaims[2].withdrawn);
    }

    void growingFilesTellWhatIsNew()
    {
        SampleSession sample;
        auto writer = sample.begin(file("live"), 2);
        VERIFY_RESULT(writer);
        auto reader = storage::SessionReader::open(file("live"));
        VERIFY_RESULT(reader);
        QCOMPARE((*reader->snapshot({}))->phases.size(), std::size_t{2});
        QVERIFY(!(*reader->snapshot({}))->phases[1].end);
        VERIFY_RESULT(writer->write(sample.batch(2), sample.tables()));
        VERIFY_RESULT(reader->poll());
        const auto snapshot = *reader->snapshot({});
        QCOMPARE(snapshot->phases.size(), std::size_t{3});
        QVERIFY(snapshot->phases[1].end.has_value());
        QCOMPARE(areaOf(*snapshot, AreaKind::Pool)->total.allocations, std::int64_t{6});
        QCOMPARE(snapshot->memoryParts[0].values.size(), std::size_t{3});
    }

    void answersInTheShell()
    {
        SampleSession sample;
        VERIFY_RESULT(sample.make(file("views"), 3));
        auto database = storage::Database::open(file("views"), storage::OpenMode::ReadWrite);
        const auto answer = [&](const char *sql) {
            auto rows = database->prepare(sql);
            return rows && *rows->step() ? std::string(rows->text(0)) : std::string("none");
        };
        QCOMPARE(answer("SELECT name || live_blocks || '|' || allocations FROM v_areas WHERE kind = 'pool'"),
            std::string("arena3|6"));
        QCOMPARE(answer("SELECT name || tid FROM v_phases ORDER BY begin_s LIMIT 1"), std::string("phase 04128"));
        QCOMPARE(answer("SELECT count(*) || pid FROM v_memory_parts GROUP BY pid"), std::string("34128"));
    }
};

QTEST_APPLESS_MAIN(SessionAreasTest)
#include "session_areas_test.moc"
