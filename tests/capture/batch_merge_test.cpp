// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/batch_merge.h"
#include "capture/recording/batch_queue.h"
#include "capture/recording/gap_tracker.h"
#include "capture/recording/tick_schedule.h"

#include <QTest>

#include <vector>

using model::Metric;

namespace {

constexpr model::ImageId kImage(0u);
constexpr model::StackId kStack(7u);

model::EventBatch batchOf(std::int64_t beginMs, std::int64_t endMs)
{
    model::EventBatch batch;
    batch.span = {{beginMs * 1'000'000}, {endMs * 1'000'000}};
    return batch;
}

model::MetricsRow metrics(std::uint32_t process, std::int64_t rss, std::int64_t faultsPerSecond)
{
    model::MetricsRow row{model::ProcessId(process), {}};
    row.values.set(Metric::Rss, rss);
    row.values.set(Metric::MinorFaults, faultsPerSecond);
    return row;
}

/// Takes batches, or refuses them.
class FakeSink final : public capture::BatchSink
{
public:
    model::Result<void> write(const model::EventBatch &batch, model::TableBuilder &) override
    {
        if (isFull)
            return model::Error("Cannot write a: b: the disk is full; make room: remove files");
        written.push_back(batch);
        return {};
    }
    void expectEnd() override { }
    model::Result<void> updateInfo(const model::SessionInfo &) override { return {}; }
    model::Result<void> finish(const model::SessionInfo &) override { return {}; }
    std::int64_t storedBytes() const override { return 0; }

    bool isFull = false;
    std::vector<model::EventBatch> written;
};

} // namespace

class BatchMergeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void addsDeltasOfTheSameKey();
    void keepsDeltasOfDifferentKeysApart();
    void takesTheLaterLevelsAndTheWiderRange();
    void keepsTheMostOfAllLooks();
    void weighsRatesByTime();
    void keepsTheLaterPeak();
    void keepsMarksAndGapsInOrder();
    void offersWhatWasRefusedTogetherWithTheNext();
    void ticksOnMultiplesAndCountsMissedOnes();
    void looksEarlyWithinTheFirstTickOnly();
    void aTickThatIsDueComesBeforeEarlyLooks();
    void handsOutAGapOnceItEnds();
};

void BatchMergeTest::addsDeltasOfTheSameKey()
{
    model::EventBatch batch = batchOf(0, 1000);
    batch.heap = {{kImage, kStack, 1, 10, 2, 20, 3, 30, 1}};
    batch.cpu = {{model::ThreadId(1u), kImage, kStack, 5, 100}};
    batch.heapSizes = {{kImage, 3, 1, 10}};
    batch.heapLifetimes = {{kImage, 3, 1, 10}};
    batch.losses = {{model::LossKind::EventsDropped, kImage, 4, "ring"}};
    batch.recorderCpuNs = 5;
    model::EventBatch next = batch;
    next.span = {batch.span.end, {2'000'000'000}};
    capture::mergeInto(batch, next);
    QCOMPARE(batch.heap.size(), std::size_t{1});
    QCOMPARE(batch.heap[0].allocations, 2);
    QCOMPARE(batch.heap[0].allocatedBytes, 20);
    QCOMPARE(batch.heap[0].frees, 4);
    QCOMPARE(batch.heap[0].freedBytes, 40);
    QCOMPARE(batch.heap[0].temporaries, 6);
    QCOMPARE(batch.heap[0].temporaryBytes, 60);
    QCOMPARE(batch.cpu[0].samples, 10);
    QCOMPARE(batch.heapSizes[0].bytes, 20);
    QCOMPARE(batch.heapLifetimes[0].frees, 2);
    QCOMPARE(batch.losses[0].count, 8);
    QCOMPARE(batch.recorderCpuNs, 10);
    QCOMPARE(batch.span.length().ns, 2'000'000'000);
}

void BatchMergeTest::keepsDeltasOfDifferentKeysApart()
{
    model::EventBatch batch = batchOf(0, 1000);
    batch.heap = {{kImage, kStack, 1, 10, 0, 0, 0, 0, 1}};
    batch.cpu = {{model::ThreadId(1u), kImage, kStack, 5, 100}};
    batch.losses = {{model::LossKind::EventsDropped, kImage, 4, "ring"}};
    model::EventBatch next = batchOf(1000, 2000);
    next.heap = {{kImage, kStack, 1, 10, 0, 0, 0, 0, 512}, {model::ImageId(1u), kStack, 1, 10, 0, 0, 0, 0, 1}};
    next.cpu = {{model::ThreadId(2u), kImage, kStack, 5, 100}};
    next.losses = {{model::LossKind::EventsDropped, kImage, 4, "other"}};
    capture::mergeInto(batch, next);
    QCOMPARE(batch.heap.size(), std::size_t{3});
    QCOMPARE(batch.cpu.size(), std::size_t{2});
    QCOMPARE(batch.losses.size(), std::size_t{2});
}

void BatchMergeTest::takesTheLaterLevelsAndTheWiderRange()
{
    model::EventBatch batch = batchOf(0, 1000);
    batch.heapTicks = {{kImage, 100, 10, 50, 200, 1, 2, 3, 4, 5, 6}};
    model::EventBatch next = batchOf(1000, 2000);
    next.heapTicks = {{kImage, 70, 7, 40, 150, 1, 2, 3, 4, 5, 6}};
    capture::mergeInto(batch, next);
    const model::HeapTick &tick = batch.heapTicks.at(0);
    QCOMPARE(tick.liveBytes, 70);
    QCOMPARE(tick.liveBlocks, 7);
    QCOMPARE(tick.leastLiveBytes, 40);
    QCOMPARE(tick.mostLiveBytes, 200);
    QCOMPARE(tick.allocations, 2);
    QCOMPARE(tick.unknownFrees, 12);
}

void BatchMergeTest::keepsTheMostOfAllLooks()
{
    model::EventBatch batch = batchOf(0, 300);
    batch.metrics.emplace_back();
    batch.metrics[0].values.set(model::Metric::Rss, 900);
    batch.metrics[0].values.set(model::Metric::RssPeak, 1000);
    model::EventBatch next = batchOf(300, 1000);
    next.metrics = batch.metrics;
    next.metrics[0].values.set(model::Metric::Rss, 100);
    next.metrics[0].values.set(model::Metric::RssPeak, 200);
    capture::mergeInto(batch, next);
    QCOMPARE(batch.metrics.at(0).values.get(model::Metric::Rss), std::optional<std::int64_t>(100));
    QCOMPARE(batch.metrics.at(0).values.get(model::Metric::RssPeak), std::optional<std::int64_t>(1000));
}

void BatchMergeTest::weighsRatesByTime()
{
    model::EventBatch batch = batchOf(0, 300);
    batch.metrics = {metrics(0, 100, 10), metrics(1, 1, 1)};
    model::EventBatch next = batchOf(300, 1000);
    next.metrics = {metrics(0, 900, 20)};
    capture::mergeInto(batch, next);
    QCOMPARE(batch.metrics.size(), std::size_t{2});
    QCOMPARE(*batch.metrics[0].values.get(Metric::Rss), 900);
    QCOMPARE(*batch.metrics[0].values.get(Metric::MinorFaults), 17); // 0.3 s of 10 and 0.7 s of 20
    QCOMPARE(*batch.metrics[1].values.get(Metric::Rss), 1);
}

void BatchMergeTest::keepsTheLaterPeak()
{
    model::EventBatch batch = batchOf(0, 1000);
    batch.heapPeaks = {{kImage, {5}, 100, 1}};
    batch.heapPeakRows = {{kImage, kStack, 100, 1}};
    model::EventBatch next = batchOf(1000, 2000);
    next.heapPeaks = {{kImage, {15}, 300, 3}};
    next.heapPeakRows = {{kImage, kStack, 250, 2}, {kImage, model::StackId(8u), 50, 1}};
    capture::mergeInto(batch, next);
    QCOMPARE(batch.heapPeaks.size(), std::size_t{1});
    QCOMPARE(batch.heapPeaks[0].bytes, 300);
    QCOMPARE(batch.heapPeakRows.size(), std::size_t{2});
    QCOMPARE(batch.heapPeakRows[0].bytes, 250);
}

void BatchMergeTest::keepsMarksAndGapsInOrder()
{
    model::EventBatch batch = batchOf(0, 1000);
    batch.marks = {{{1}, model::MarkKind::User, "a"}};
    batch.gaps = {{{{1}, {2}}, model::GapKind::Paused}};
    model::EventBatch next = batchOf(1000, 2000);
    next.marks = {{{11}, model::MarkKind::User, "b"}};
    next.gaps = {{{{11}, {12}}, model::GapKind::Paused}};
    capture::mergeInto(batch, next);
    QCOMPARE(batch.marks.at(1).text, std::string("b"));
    QCOMPARE(batch.gaps.at(1).span.begin.ns, 11);
}

void BatchMergeTest::offersWhatWasRefusedTogetherWithTheNext()
{
    FakeSink sink;
    capture::BatchQueue queue(sink);
    model::TableBuilder tables;
    sink.isFull = true;
    for (int tick = 0; tick < 3; ++tick) {
        model::EventBatch batch = batchOf(tick * 1000, tick * 1000 + 1000);
        batch.heap = {{kImage, kStack, 1, 10, 0, 0, 0, 0, 1}};
        model::HeapTick heap{.image = kImage};
        heap.allocations = 3;
        heap.frees = 2;
        batch.heapTicks = {heap};
        batch.cpu = {{model::ThreadId(0u), kImage, kStack, 7, 1'000'000}};
        QVERIFY(!queue.write(batch, tables));
    }
    QCOMPARE(queue.unwritten()->from.ns, 0);
    QCOMPARE(queue.unwritten()->length.ns, 3'000'000'000);
    QCOMPARE(queue.unwritten()->heapEvents, 15);
    QCOMPARE(queue.unwritten()->cpuSamples, 21);
    QCOMPARE(queue.unwritten()->reason, std::string("the disk is full"));
    sink.isFull = false;
    QVERIFY(queue.write(batchOf(3000, 4000), tables).has_value());
    QCOMPARE(sink.written.size(), std::size_t{1});
    QCOMPARE(sink.written[0].heap.at(0).allocations, 3);
    QCOMPARE(sink.written[0].span.begin.ns, 0);
    QCOMPARE(sink.written[0].span.end.ns, 4'000'000'000);
    QCOMPARE(sink.written[0].losses.size(), std::size_t{1});
    QVERIFY(sink.written[0].losses[0].kind == model::LossKind::TicksDelayed);
    QCOMPARE(sink.written[0].losses[0].count, 3);
    QVERIFY(!queue.unwritten());
}

void BatchMergeTest::ticksOnMultiplesAndCountsMissedOnes()
{
    capture::TickSchedule schedule({}, model::Duration::fromMs(1000));
    QCOMPARE(schedule.advance({1'000'000'000}), 0);
    QCOMPARE(schedule.next().ns, 2'000'000'000);
    QCOMPARE(schedule.advance({2'400'000'000}), 0); // late, but not by a tick
    QCOMPARE(schedule.next().ns, 3'000'000'000);
    QCOMPARE(schedule.advance({5'100'000'000}), 2);
    QCOMPARE(schedule.next().ns, 6'000'000'000);
    QCOMPARE(schedule.advance({5'200'000'000}), 0);
    QCOMPARE(schedule.next().ns, 6'000'000'000);
}

void BatchMergeTest::looksEarlyWithinTheFirstTickOnly()
{
    capture::TickSchedule schedule({7'000'000}, model::Duration::fromMs(250));
    std::vector<std::int64_t> looks;
    while (schedule.nextIsLook()) {
        looks.push_back(schedule.next().ns / 1'000'000);
        QCOMPARE(schedule.advance(schedule.next()), 0);
    }
    QCOMPARE(looks, (std::vector<std::int64_t>{27, 107}));
    QCOMPARE(schedule.next().ns, 257'000'000);
    schedule.advance({257'000'000});
    QVERIFY(!schedule.nextIsLook());
    QCOMPARE(schedule.next().ns, 507'000'000);
}

void BatchMergeTest::aTickThatIsDueComesBeforeEarlyLooks()
{
    capture::TickSchedule schedule({}, model::Duration::fromMs(1000));
    QVERIFY(!schedule.tickIsDue({400'000'000}));
    QVERIFY(schedule.nextIsLook());
    QVERIFY(schedule.tickIsDue({3'400'000'000}));
    QCOMPARE(schedule.advance({3'400'000'000}), 2);
    QVERIFY(!schedule.nextIsLook());
    QCOMPARE(schedule.next().ns, 4'000'000'000);
}

void BatchMergeTest::handsOutAGapOnceItEnds()
{
    capture::GapTracker gaps;
    gaps.begin(model::GapKind::Paused, {10});
    gaps.begin(model::GapKind::Paused, {15});
    gaps.begin(model::GapKind::TargetStopped, {20});
    QVERIFY(gaps.take().empty());
    gaps.end(model::GapKind::Paused, {30});
    gaps.end(model::GapKind::Paused, {35});
    const auto ended = gaps.take();
    QCOMPARE(ended.size(), std::size_t{1});
    QVERIFY(ended[0].span == (model::TimeRange{{10}, {30}}));
    gaps.endAll({40});
    QVERIFY(gaps.take().at(0).kind == model::GapKind::TargetStopped);
    QVERIFY(gaps.take().empty());
}

QTEST_GUILESS_MAIN(BatchMergeTest)
#include "batch_merge_test.moc"
