// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/memory_parts.h"
#include "model/report/text_memory.h"

#include <QTest>

#include <sstream>

using namespace model;

namespace {

Timestamp second(std::int64_t s) { return {s * 1'000'000'000}; }

/// One process with three ticks of 100, 200 and 300 bytes of anonymous and 50 of file-backed memory.
Snapshot threeTicks()
{
    Snapshot snapshot;
    auto tables = std::make_shared<ProgramTables>();
    tables->processes.push_back({.pid = 1});
    tables->images.push_back({.process = ProcessId(0u)});
    snapshot.tables = tables;
    MetricSeries series{ProcessId(0u), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        MetricValues values;
        values.set(Metric::Anonymous, 100 * i);
        values.set(Metric::FileBacked, 50);
        values.set(Metric::Shared, 0);
        series.times.push_back(second(i));
        series.values.push_back(values);
        snapshot.tickEnds.push_back(second(i));
    }
    snapshot.metrics.push_back(series);
    snapshot.info.duration = Duration::fromSeconds(3);
    snapshot.span = {second(0), second(3)};
    return snapshot;
}

const MemoryPart *find(const std::vector<MemoryPart> &parts, std::string_view key)
{
    for (const MemoryPart &part : parts)
        if (part.key == key)
            return &part;
    return nullptr;
}

/// What was resident and live at the end of second `i`.
void addTick(Snapshot &snapshot, HeapSeries &heap, std::int64_t i, std::int64_t residentBytes, std::int64_t liveBytes)
{
    snapshot.metrics[0].values[static_cast<std::size_t>(i) - 1].set(Metric::Rss, residentBytes);
    heap.spans.push_back({second(i - 1), second(i)});
    heap.ticks.push_back({.image = ImageId(0u), .liveBytes = liveBytes});
}

} // namespace

/// The parts add up, and never claim more heap than there is memory.
class MemoryPartsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingRecordedHasNoParts();
    void partsThatAreZeroAreLeftOut();
    void partsAddUpToTheResidentMemory();
    void measuredPartsAddUpToTheRss();
    void growthSinceTheLastReadingIsTheHeaps();
    void blocksOfTheParentAreInheritedAtAFork();
    void blocksOfAProgramThatIsGoneByExecExplainNothing();
    void knowsItWhereItWasAtItsHeight();
};

void MemoryPartsTest::nothingRecordedHasNoParts() { QVERIFY(memoryParts(Snapshot()).empty()); }

void MemoryPartsTest::partsThatAreZeroAreLeftOut()
{
    const auto parts = memoryParts(threeTicks());
    QCOMPARE(parts.size(), std::size_t{2});
    QVERIFY(find(parts, "shared_bytes") == nullptr);
    QVERIFY(find(parts, "live_heap_bytes") == nullptr);
}

void MemoryPartsTest::partsAddUpToTheResidentMemory()
{
    Snapshot snapshot = threeTicks();
    HeapSeries heap{ImageId(0u), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        heap.spans.push_back({second(i - 1), second(i)});
        heap.ticks.push_back({.image = ImageId(0u), .liveBytes = 150}); // more than is resident at first: never touched
    }
    snapshot.heapSeries.push_back(heap);
    const auto parts = memoryParts(snapshot);
    const double expected[]{150, 250, 350};
    for (std::int64_t i = 1; i <= 3; ++i) {
        double sum = 0;
        for (const MemoryPart &part : parts)
            sum += part.series.nearest(second(i))->value;
        QCOMPARE(sum, expected[i - 1]);
    }
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(1))->value, 100.0);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(3))->value, 150.0);
}

void MemoryPartsTest::measuredPartsAddUpToTheRss()
{
    Snapshot snapshot = threeTicks();
    MemoryPartsSeries series{ProcessId(0u), {}, {}};
    HeapSeries heap{ImageId(0u), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        addTick(snapshot, heap, i, 1000 * i, 550);
        series.times.push_back(second(i));
        // The last tick's unknown part is not told: it is what is missing to the RSS.
        series.values.push_back(
            {ProcessId(0u), 400 * i, 100 * i, 50 * i, 200 * i, 100 * i, 50 * i, i < 3 ? 100 * i : 0, true});
    }
    snapshot.heapSeries.push_back(heap);
    snapshot.memoryParts.push_back(series);
    const auto parts = memoryParts(snapshot);
    QCOMPARE(parts.size(), std::size_t{8});
    for (std::int64_t i = 1; i <= 3; ++i) {
        double sum = 0;
        for (const MemoryPart &part : parts)
            sum += part.series.nearest(second(i))->value;
        QCOMPARE(sum, 1000.0 * static_cast<double>(i));
    }
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(1))->value, 400.0); // no more than is resident
    QCOMPARE(find(parts, "allocator_bytes")->series.nearest(second(3))->value, 650.0);
    QCOMPARE(find(parts, "tracer_bytes")->series.nearest(second(2))->value, 100.0);
    const MemoryNow now = memoryAt(snapshot, second(1));
    QCOMPARE(now.when, second(1));
    QCOMPARE(now.untouchedBytes, 150.0);
    // What is only carried on is not told with a heap of a later moment.
    QCOMPARE(memoryAt(snapshot, second(3)).when, second(3));
    snapshot.memoryParts[0].values[2].isMeasured = false;
    const MemoryNow measured = memoryAt(snapshot, second(3));
    QCOMPARE(measured.when, second(2));
    QVERIFY(measured.isMeasured);
    const MemoryChange change = memoryBetween(snapshot, {second(1), second(3)});
    QCOMPARE(change.before.when, second(1));
    QCOMPARE(change.after.when, second(2));
    QCOMPARE(memoryBetween(snapshot, {second(3), second(3)}).before.when, second(2)); // none was read from then on
    for (MemoryPartsRow &row : snapshot.memoryParts[0].values)
        row.isMeasured = false;
    QCOMPARE(memoryAt(snapshot, second(3)).when, second(3));
    QVERIFY(!memoryAt(snapshot, second(3)).isMeasured);
}

/// What has come since pages were read last is known to be the heap's as far as blocks were allocated.
void MemoryPartsTest::growthSinceTheLastReadingIsTheHeaps()
{
    Snapshot snapshot = threeTicks();
    MemoryPartsSeries series{ProcessId(0u), {}, {}};
    HeapSeries heap{ImageId(0u), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        addTick(snapshot, heap, i, 1000 * i, 700 * i);
        series.times.push_back(second(i));
        series.values.push_back({ProcessId(0u), 700, 0, 0, 200, 0, 0, 100 + 1000 * (i - 1), i == 1});
    }
    snapshot.heapSeries.push_back(heap);
    snapshot.memoryParts.push_back(series);
    const auto parts = memoryParts(snapshot);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(1))->value, 700.0);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(3))->value, 2100.0);
    QCOMPARE(find(parts, "unknown_bytes")->series.nearest(second(3))->value, 700.0);
    // What was unknown then is so still, however much was allocated and never touched.
    snapshot.heapSeries[0].ticks[2].liveBytes = 50'000;
    QCOMPARE(find(memoryParts(snapshot), "unknown_bytes")->series.nearest(second(3))->value, 100.0);
    // And its height is there, not where pages were read.
    QCOMPARE(memoryAtItsHeight(snapshot).when, second(3));
    QVERIFY(!memoryAtItsHeight(snapshot).isMeasured);
    // How much was never touched is known of moments at which pages were read alone.
    QVERIFY(memoryAtItsHeight(snapshot).untouchedBytes > 0);
    std::ostringstream text;
    writeMemoryParts(text, snapshot, {});
    QVERIFY(text.str().find("Resident memory at its height, 2.93 KiB at ") != std::string::npos);
    QVERIFY(text.str().find("not resident") == std::string::npos);
    snapshot.metrics[0].values[2].set(Metric::RssPeak, 6000);
    writeMemoryParts(text, snapshot, {});
    QVERIFY(text.str().find("; the height, 5.86 KiB, was not looked at") != std::string::npos);
}

void MemoryPartsTest::blocksOfTheParentAreInheritedAtAFork()
{
    Snapshot snapshot = threeTicks();
    auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
    const Timestamp forked{300'000'000}; // within the first tick
    tables->processes.push_back({.pid = 11, .parent = ProcessId(0u), .start = forked});
    tables->images.push_back(
        {.process = ProcessId(1u), .start = forked, .heap = HeapState::Inherited}); // forked, and only sleeps
    snapshot.tables = tables;
    HeapSeries heap{ImageId(0u), {}, {}};
    MemoryPartsSeries parent{ProcessId(0u), {}, {}}, child{ProcessId(1u), {}, {}};
    snapshot.metrics.push_back({ProcessId(1u), {}, {}});
    for (std::int64_t i = 1; i <= 3; ++i) {
        addTick(snapshot, heap, i, 500, 400);
        parent.times.push_back(second(i));
        parent.values.push_back({ProcessId(0u), 450, 0, 0, 50, 0, 0, 0, true});
        if (i == 1)
            continue;
        snapshot.metrics[1].times.push_back(second(i));
        snapshot.metrics[1].values.emplace_back().set(Metric::Rss, 440);
        child.times.push_back(second(i));
        child.values.push_back({ProcessId(1u), 430, 0, 0, 10, 0, 0, 0, true});
    }
    snapshot.heapSeries.push_back(heap);
    snapshot.memoryParts = {parent, child};
    const auto parts = memoryParts(snapshot);
    QCOMPARE(find(parts, "inherited_bytes")->series.nearest(second(1))->value, 0.0);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(3))->value, 400.0);
    QCOMPARE(find(parts, "inherited_bytes")->series.nearest(second(3))->value, 400.0);
    QCOMPARE(find(parts, "allocator_bytes")->series.nearest(second(3))->value, 80.0);
}

void MemoryPartsTest::blocksOfAProgramThatIsGoneByExecExplainNothing()
{
    // Replaced at 1.5 s by one without a tracer; its ticks go on. At 2 s and 3 s nothing is known of what is live.
    Snapshot snapshot = threeTicks();
    auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
    tables->images[0].end = Timestamp{1'500'000'000};
    tables->images.push_back({.process = ProcessId(0u), .epoch = 1, .start = Timestamp{1'500'000'000}});
    snapshot.tables = tables;
    MemoryPartsSeries series{ProcessId(0u), {}, {}};
    HeapSeries heap{ImageId(0u), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        addTick(snapshot, heap, i, 1000, 550);
        series.times.push_back(second(i));
        series.values.push_back({ProcessId(0u), 400, 0, 0, 0, 0, 0, 600, true});
    }
    snapshot.heapSeries.push_back(heap);
    snapshot.memoryParts.push_back(series);
    const auto parts = memoryParts(snapshot);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(1))->value, 400.0);
    QCOMPARE(find(parts, "live_heap_bytes")->series.nearest(second(2))->value, 0.0);
    QCOMPARE(find(parts, "allocator_bytes")->series.nearest(second(3))->value, 400.0);
    QCOMPARE(memoryAt(snapshot, second(1)).untouchedBytes, 150.0);
    QCOMPARE(memoryAt(snapshot, second(3)).untouchedBytes, 0.0);
    // The live heap itself ends with the tick in which the program went.
    const TimeSeries live = timeSeries(snapshot, HeapQuantity::LiveBytes);
    QCOMPARE(live.last()->when, second(2));
}

/// 1000, 3000 and 200 bytes, as of a program that is nearly gone when it was looked at last.
void MemoryPartsTest::knowsItWhereItWasAtItsHeight()
{
    Snapshot snapshot = threeTicks();
    MemoryPartsSeries series{ProcessId(0u), {}, {}};
    const std::int64_t bytes[]{1000, 3000, 200};
    for (std::int64_t i = 1; i <= 3; ++i) {
        snapshot.metrics[0].values[static_cast<std::size_t>(i) - 1].set(Metric::Rss, bytes[i - 1]);
        series.times.push_back(second(i));
        series.values.push_back({ProcessId(0u), 0, bytes[i - 1], 0, 0, 0, 0, 0, true});
    }
    snapshot.memoryParts.push_back(series);
    QCOMPARE(memoryAt(snapshot, second(3)).when, second(3));
    const MemoryNow high = memoryAtItsHeight(snapshot);
    QCOMPARE(high.when, second(2));
    QVERIFY(high.isMeasured);
    QCOMPARE(high.parts.at(0).bytes, 3000.0);
    // Not read then: the other moments have too little to stand for it.
    snapshot.memoryParts[0].values[1] = {ProcessId(0u), 0, 1000, 0, 0, 0, 0, 2000, false};
    const MemoryNow carried = memoryAtItsHeight(snapshot);
    QCOMPARE(carried.when, second(2));
    QVERIFY(!carried.isMeasured);
    // Half of it is not enough; nearly all is.
    snapshot.metrics[0].values[0].set(Metric::Rss, 2500);
    snapshot.memoryParts[0].values[0].mappings = 2500;
    QCOMPARE(memoryAtItsHeight(snapshot).when, second(2));
    snapshot.metrics[0].values[0].set(Metric::Rss, 2900);
    snapshot.memoryParts[0].values[0].mappings = 2900;
    QCOMPARE(memoryAtItsHeight(snapshot).when, second(1));
    QCOMPARE(memoryBetween(snapshot, {second(2), second(2)}).before.when, second(3));
    // Of what stays as it is the newest is told.
    snapshot.metrics[0].values[2].set(Metric::Rss, 2890);
    snapshot.memoryParts[0].values[2].mappings = 2890;
    QCOMPARE(memoryAtItsHeight(snapshot).when, second(3));
    // By the end of the tick in which it ended it has nothing any more.
    auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
    tables->processes[0].end = Timestamp{second(2).ns + 1};
    snapshot.tables = tables;
    QCOMPARE(memoryAtItsHeight(snapshot).when, *tables->processes[0].end);
    QVERIFY(!memoryAtItsHeight(snapshot).parts.empty());
}

QTEST_GUILESS_MAIN(MemoryPartsTest)
#include "memory_parts_test.moc"
