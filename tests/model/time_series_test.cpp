// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heat_map.h"
#include "model/aggregate/mean_series.h"
#include "model/aggregate/resident_peak.h"
#include "model/aggregate/time_series.h"
#include "model/heap/size_bins.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>

using namespace model;
using tests::SnapshotBuilder;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

TimeSeries line(const std::vector<double> &values)
{
    TimeSeries series{CpuQuantity::Used, {{}}};
    for (std::size_t i = 0; i < values.size(); ++i)
        series.segments[0].push_back({{static_cast<std::int64_t>(i) * kSecond}, values[i]});
    return series;
}

} // namespace

class TimeSeriesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void averagesWhatIsTooDenseToDraw()
    {
        std::vector<double> values;
        for (int i = 0; i < 1000; ++i)
            values.push_back(i % 2 == 0 ? 0 : 10 + (i >= 500 ? 10 : 0));
        const TimeRange whole{{0}, {999 * kSecond}};
        QVERIFY(isDense(line(values), whole, 100));
        QVERIFY(!isDense(line(values), {{0}, {100 * kSecond}}, 100));
        const TimeSeries means = meanSeries(line(values), whole, 10);
        QCOMPARE(means.segments.size(), std::size_t(1));
        QCOMPARE(means.pointCount(), std::size_t(10));
        QCOMPARE(means.segments[0].front().value, 5.0);
        QCOMPARE(means.segments[0].back().value, 10.0);
        QCOMPARE(means.segments[0][0].when.ns, std::int64_t(49.5 * kSecond));
        TimeSeries broken = line(values);
        broken.segments.push_back({{{2000 * kSecond}, 7}});
        QCOMPARE(meanSeries(broken, {{0}, {2000 * kSecond}}, 10).segments.size(), std::size_t(2));
        QCOMPARE(meanSeries(broken, {{0}, {2000 * kSecond}}, 2).segments.size(), std::size_t(1));
        QVERIFY(meanSeries(broken, {}, 10).isEmpty());
    }

    void givesMetricsInTheirUnit()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .metric(Metric::CpuUser, {100'000, 50'000})
                                      .metric(Metric::CpuSystem, {10'000, 0})
                                      .build();
        const TimeSeries used = timeSeries(snapshot, CpuQuantity::Used);
        QCOMPARE(used.pointCount(), std::size_t(2));
        QCOMPARE(used.segments[0][0].value, 110.0);
        QCOMPARE(timeSeries(snapshot, Metric::CpuUser).last()->value, 50.0);
        QVERIFY(timeSeries(snapshot, Metric::Rss).isEmpty());
    }

    /// Of a step that ticks were merged into, what a process had that ended in it does not count; what it used does.
    void addsUpWhatLivesAtTheEndOfAStep_data()
    {
        QTest::addColumn<qint64>("stepNs");
        QTest::addColumn<double>("resident");
        QTest::newRow("a tick takes what it read before the end") << qint64{0} << 107.0;
        QTest::newRow("a merged step does not") << qint64{60 * kSecond} << 100.0;
    }
    void addsUpWhatLivesAtTheEndOfAStep()
    {
        QFETCH(qint64, stepNs);
        QFETCH(double, resident);
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {100, 100, 100}).metric(Metric::MinorFaults, {5, 5, 5});
        const ProcessId child = builder.tables().addProcess({.pid = 101, .start = {kSecond + 1}});
        builder.tables().changeProcess(child).end = Timestamp{kSecond + 500};
        MetricValues values;
        values.set(Metric::Rss, 7);
        values.set(Metric::MinorFaults, 3);
        builder.raw().metrics.push_back({child, {{2 * kSecond}}, {values}});
        builder.raw().resolutions = {{{{0}, {10 * kSecond}}, {stepNs}}};
        const Snapshot snapshot = builder.build();
        const auto rss = timeSeries(snapshot, Metric::Rss), faults = timeSeries(snapshot, Metric::MinorFaults);
        QCOMPARE(rss.nearest({2 * kSecond})->value, resident);
        QCOMPARE(rss.last()->value, 100.0);
        QCOMPARE(faults.nearest({2 * kSecond})->value, 8.0);
        QCOMPARE(faults.last()->value, 5.0);
    }

    /// Of children that run one after the other within a tick, what one holds counts, not the sum.
    void addsUpHeapsThatAreThereTogether_data()
    {
        QTest::addColumn<qint64>("secondStartNs");
        QTest::addColumn<double>("live");
        QTest::newRow("one after the other") << qint64{1'600'000'000} << 110.0;
        QTest::newRow("together") << qint64{1'400'000'000} << 210.0;
    }
    void addsUpHeapsThatAreThereTogether()
    {
        QFETCH(qint64, secondStartNs);
        QFETCH(double, live);
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 1, 1});
        const TimeRange tick{{kSecond}, {2 * kSecond}}, next{{2 * kSecond}, {3 * kSecond}};
        const HeapTick ten{.liveBytes = 10}, hundred{.liveBytes = 100};
        builder.raw().heapSeries.push_back({.image = builder.image(), .spans = {tick, next}, .ticks = {ten, ten}});
        for (const auto &[start, end] : {std::pair<qint64, qint64>{kSecond + 1, 1'500'000'000},
                 std::pair<qint64, qint64>{secondStartNs, 2'500'000'000}}) {
            const ProcessId child = builder.tables().addProcess({.pid = 101, .start = {start}, .end = Timestamp{end}});
            const ImageId image
                = builder.tables().addImage({.process = child, .start = {start}, .end = Timestamp{end}});
            builder.raw().heapSeries.push_back({.image = image, .spans = {tick}, .ticks = {hundred}});
        }
        const Snapshot snapshot = builder.build();
        QCOMPARE(timeSeries(snapshot, HeapQuantity::LiveBytes).nearest({2 * kSecond})->value, live);
        QCOMPARE(timeSeries(snapshot, HeapQuantity::LiveBytes).last()->value, 10.0);
    }

    /// A fork that ended within a tick had its parent's pages, unless it had more than that.
    void countsPagesOfAForkWithItsParent_data()
    {
        QTest::addColumn<qint64>("forks");
        QTest::addColumn<int>("executed");
        QTest::addColumn<double>("together");
        QTest::newRow("its parent's") << qint64{90} << 0 << 100.0;
        QTest::newRow("of its own") << qint64{130} << 0 << 230.0;
        QTest::newRow("of another program") << qint64{90} << 1 << 190.0;
    }
    void countsPagesOfAForkWithItsParent()
    {
        QFETCH(qint64, forks);
        QFETCH(int, executed);
        QFETCH(double, together);
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {100, 100, 100});
        const Timestamp start{kSecond + 1}, end{kSecond + 500};
        const ProcessId child
            = builder.tables().addProcess({.pid = 101, .parent = builder.process(), .start = start, .end = end});
        const StringId program = builder.tables().tables().images[builder.image().index()].executable;
        for (int epoch = 0; epoch <= executed; ++epoch)
            builder.tables().addImage({.process = child, .executable = program, .start = start, .end = end});
        MetricSeries series{child, {{2 * kSecond}}, {{}}};
        series.values[0].set(Metric::Rss, forks);
        series.values[0].set(Metric::RssPeak, forks + 3);
        builder.raw().metrics.push_back(series);
        const Snapshot snapshot = builder.build();
        QCOMPARE(timeSeries(snapshot, Metric::Rss).nearest({2 * kSecond})->value, together);
        QCOMPARE(residentPeak(snapshot), std::optional(executed == 0 ? together : together + 3));
    }

    void knowsWhatWasResidentBetweenTicks()
    {
        const auto with = [](std::int64_t peak, std::optional<std::int64_t> other) {
            SnapshotBuilder builder;
            builder.metric(Metric::Rss, {10, 30, 20}).metric(Metric::RssPeak, {10, peak, 20});
            if (other) {
                MetricSeries series{ProcessId(1u), {builder.raw().metrics[0].times[1]}, {{}}};
                series.values[0].set(Metric::Rss, *other);
                builder.raw().metrics.push_back(series);
            }
            return residentPeak(builder.build());
        };
        QCOMPARE(with(30, {}), 30.0);
        QCOMPARE(with(90, {}), 90.0);
        QCOMPARE(with(30, 5), 35.0);
        QCOMPARE(with(90, 5), 95.0); // what the other had
        QVERIFY(!residentPeak(SnapshotBuilder().build()));
    }

    /// The peak of a process that ended in a tick counts with those that lived with it, not with those that came after it.
    void addsThePeakWithinATickToWhatLivedWithIt()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {4, 4, 4});
        for (const auto &[startNs, resident] : {std::pair<qint64, qint64>{kSecond + 1, 50},
                 std::pair<qint64, qint64>{kSecond + 101, 10}, std::pair<qint64, qint64>{kSecond + 201, 20}}) {
            const ProcessId child
                = builder.tables().addProcess({.pid = 101, .start = {startNs}, .end = Timestamp{startNs + 90}});
            MetricSeries series{child, {{2 * kSecond}}, {{}}};
            series.values[0].set(Metric::Rss, resident);
            series.values[0].set(Metric::RssPeak, 60);
            builder.raw().metrics.push_back(series);
        }
        QCOMPARE(residentPeak(builder.build()), 64.0);
    }

    /// Of four processes that share nearly all of what each has.
    void knowsHowMuchIsLeftWherePagesCountOnce()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {100, 100, 100}).metric(Metric::Pss, {90, 30, 90});
        QVERIFY(!shareCountedOnce(builder.build())); // one alone shares with nobody that counts
        for (std::uint32_t i = 1; i < 4; ++i) {
            MetricSeries series{ProcessId(i), {builder.raw().metrics[0].times[1]}, {{}}};
            series.values[0].set(Metric::Rss, 100);
            series.values[0].set(Metric::Pss, 30);
            builder.raw().metrics.push_back(series);
        }
        QCOMPARE(shareCountedOnce(builder.build()), 0.3);
        // Where it was read of one of them alone, nothing is known of the others.
        for (std::size_t i = 2; i < 4; ++i)
            builder.raw().metrics[i].values[0] = {};
        builder.raw().metrics[2].values[0].set(Metric::Rss, 100);
        builder.raw().metrics[3].values[0].set(Metric::Rss, 100);
        QVERIFY(countedOnce(builder.build()).size() == 2);
        QVERIFY(!shareCountedOnce(builder.build()));
    }

    void breaksTheLineAtAPause()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 2, 3, 4, 5, 6});
        builder.raw().gaps.push_back({{{3'100'000'000}, {3'900'000'000}}, GapKind::Paused});
        const TimeSeries series = timeSeries(builder.build(), Metric::Rss);
        QCOMPARE(series.segments.size(), std::size_t(2));
        QCOMPARE(series.segments[0].size(), std::size_t(3));
    }

    void breaksTheLineWhereTicksAreMissing()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 2, 3, 4, 5, 6});
        for (std::size_t i = 3; i < 6; ++i)
            builder.raw().metrics[0].times[i].ns += 60 * kSecond;
        QCOMPARE(timeSeries(builder.build(), Metric::Rss).segments.size(), std::size_t(2));
    }

    void addsUpProcessesThatLiveAtTheSameTime()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {10, 10, 10}).metric(Metric::SystemAvailable, {7, 7, 7});
        MetricSeries other = builder.raw().metrics[0];
        other.process = ProcessId(1u);
        other.times.erase(other.times.begin());
        other.values.erase(other.values.begin());
        builder.raw().metrics.push_back(other);
        const Snapshot snapshot = builder.build();
        const TimeSeries rss = timeSeries(snapshot, Metric::Rss);
        QCOMPARE(rss.segments[0][0].value, 10.0);
        QCOMPARE(rss.segments[0][2].value, 20.0);
        QCOMPARE(timeSeries(snapshot, Metric::Rss, ProcessId(1u)).last()->value, 10.0);
        QCOMPARE(timeSeries(snapshot, Metric::SystemAvailable).last()->value, 7.0);
    }

    void carriesTheLastValueOfASlowMetricWhileItsProcessLives()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Pss, {10, 10, 10, 10});
        MetricSeries slow{.process = ProcessId(1u), .times = {{kSecond}, {3 * kSecond}}, .values = {{}, {}}};
        slow.values[0].set(Metric::Pss, 5);
        slow.values[1].set(Metric::Pss, 6);
        builder.raw().metrics.push_back(slow);
        const TimeSeries pss = timeSeries(builder.build(), Metric::Pss);
        const std::vector<double> expected{15, 15, 16, 10};
        for (std::size_t i = 0; i < expected.size(); ++i)
            QCOMPARE(pss.segments[0][i].value, expected[i]);
    }

    void makesRatesOfHeapTicks()
    {
        SnapshotBuilder builder;
        HeapSeries series{.image = builder.image(), .spans = {{{0}, {kSecond / 2}}, {{kSecond / 2}, {kSecond}}}};
        series.ticks = {{.liveBytes = 64, .allocations = 10}, {.liveBytes = 32, .allocations = 20}};
        builder.raw().heapSeries.push_back(series);
        const Snapshot snapshot = builder.build();
        QCOMPARE(timeSeries(snapshot, HeapQuantity::AllocationRate).segments[0][1].value, 40.0);
        QCOMPARE(timeSeries(snapshot, HeapQuantity::LiveBytes).last()->value, 32.0);
    }

    /// A recording ends when its program does: 20 ms into a tick of a second here. What was counted stays the same.
    void joinsALastTickThatIsTooShortForARate()
    {
        const std::vector<TimeRange> spans{{{0}, {kSecond}}, {{kSecond}, {2 * kSecond}}, {{2 * kSecond}, {2020 * kMs}}};
        SnapshotBuilder builder;
        builder.metric(Metric::CpuUser, {100'000, 100'000, 0}).metric(Metric::Rss, {1, 2, 3});
        builder.metric(Metric::MinorFaults, {10, 10, 5000});
        builder.raw().metrics[0].times.back() = {2020 * kMs};
        builder.raw().tickEnds = {{kSecond}, {2 * kSecond}, {2020 * kMs}};
        builder.raw().heapSeries.push_back({.image = builder.image(),
            .spans = spans,
            .ticks = {{.allocations = 100}, {.allocations = 100}, {.liveBytes = 7, .allocations = 104}}});
        builder.raw().cpuSeries.push_back({builder.process(), spans, {100, 100, 4}, {kSecond, kSecond, 40 * kMs}});
        const Snapshot snapshot = builder.build();
        const auto lastOf = [&](const SeriesSource &source) {
            const TimeSeries series = timeSeries(snapshot, source);
            return series.pointCount() == 2 && series.last()->when.ns == 2020 * kMs ? series.last()->value
                                                                                    : std::nan("");
        };
        QCOMPARE(lastOf(HeapQuantity::AllocationRate), 200.0);
        QCOMPARE(lastOf(CpuQuantity::Used), 100 / 1.02);
        QCOMPARE(lastOf(CpuQuantity::Sampled), 104.0 / 1.02);
        QCOMPARE(lastOf(Metric::MinorFaults), (10 + 100) / 1.02);
        // What was there at the end of it needs no length.
        QCOMPARE(timeSeries(snapshot, Metric::Rss).pointCount(), std::size_t(3));
        QCOMPARE(timeSeries(snapshot, HeapQuantity::LiveBytes).last()->value, 7.0);
    }

    void leavesALastTickOfSomeLengthAndOneBehindAPause()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::CpuUser, {100'000, 100'000, 0});
        builder.raw().metrics[0].times.back() = {2600 * kMs};
        builder.raw().tickEnds = {{kSecond}, {2 * kSecond}, {2600 * kMs}};
        QCOMPARE(timeSeries(builder.build(), CpuQuantity::Used).pointCount(), std::size_t(3));
        builder.raw().metrics[0].times.back() = builder.raw().tickEnds.back() = {2100 * kMs};
        QCOMPARE(timeSeries(builder.build(), CpuQuantity::Used).pointCount(), std::size_t(2));
        builder.raw().gaps.push_back({{{2 * kSecond}, {2050 * kMs}}, GapKind::Paused});
        QCOMPARE(timeSeries(builder.build(), CpuQuantity::Used).pointCount(), std::size_t(3));
    }

    /// A scan ends a tick, and one more a few milliseconds later: three ticks for a second in which a core was busy for 0.95 s.
    void joinsShortTicksThatAScanMakes()
    {
        constexpr std::int64_t kEnds[]{1000, 2000, 2003, 2078, 3000, 4000}, kAllocations[]{100, 100, 0, 0, 95, 100};
        SnapshotBuilder builder;
        builder.metric(Metric::CpuUser, {100'000, 100'000, 0, 0, 103'037, 100'000});
        HeapSeries heap{.image = builder.image(), .spans = {}, .ticks = {}};
        builder.raw().tickEnds.clear();
        for (std::size_t i = 0; i < 6; ++i) {
            const Timestamp end{kEnds[i] * kMs};
            heap.spans.push_back({i > 0 ? builder.raw().tickEnds.back() : Timestamp{}, end});
            heap.ticks.push_back({.allocations = kAllocations[i]});
            builder.raw().tickEnds.push_back(end);
            builder.raw().metrics[0].times[i] = end;
        }
        builder.raw().heapSeries.push_back(heap);
        const auto valuesOf = [](const TimeSeries &series) {
            std::vector<double> values;
            for (const SeriesPoint &point : series.segments.at(0))
                values.push_back(std::round(point.value));
            return values;
        };
        const std::vector<double> expected{100, 100, 95, 100};
        QCOMPARE(valuesOf(timeSeries(builder.build(), HeapQuantity::AllocationRate)), expected);
        QCOMPARE(valuesOf(timeSeries(builder.build(), CpuQuantity::Used)), expected);
        QCOMPARE(timeSeries(builder.build(), HeapQuantity::LiveBytes).pointCount(), std::size_t(6));
        // While it records, a short newest tick waits for the next one; before a pause it is a part of the one before.
        builder.raw().info.state = SessionState::Recording;
        builder.raw().heapSeries[0].spans.resize(4);
        builder.raw().heapSeries[0].ticks.resize(4);
        QCOMPARE(valuesOf(timeSeries(builder.build(), HeapQuantity::AllocationRate)), (std::vector<double>{100, 100}));
        builder.raw().info.state = SessionState::Paused;
        QCOMPARE(valuesOf(timeSeries(builder.build(), HeapQuantity::AllocationRate)), (std::vector<double>{100, 93}));
    }

    void countsTicksWithoutSamplesAsIdle()
    {
        SnapshotBuilder builder;
        builder.ticks(4, Duration::fromMs(1000));
        builder.raw().cpuSeries.push_back(
            {builder.process(), {{{0}, {kSecond}}, {{2 * kSecond}, {3 * kSecond}}}, {100, 50}, {kSecond, kSecond / 2}});
        const TimeSeries series = timeSeries(builder.build(), CpuQuantity::Sampled);
        const std::vector<double> expected{100, 0, 50, 0};
        QCOMPARE(series.pointCount(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i)
            QCOMPARE(series.segments[0][i].value, expected[i]);
    }

    void keepsLeastAndGreatestOfEachColumn()
    {
        std::vector<double> values(1000);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = std::sin(static_cast<double>(i));
        values[500] = 40;
        values[501] = -40;
        const TimeSeries small = downsampled(line(values), {{0}, {1000 * kSecond}}, 50);
        QVERIFY(small.pointCount() <= 100);
        QCOMPARE(small.extent({{0}, {1000 * kSecond}})->greatest, 40.0);
        QCOMPARE(small.extent({{0}, {1000 * kSecond}})->least, -40.0);
        for (std::size_t i = 1; i < small.segments[0].size(); ++i)
            QVERIFY(small.segments[0][i - 1].when < small.segments[0][i].when);
    }

    void keepsTheOnlyTickOfARecordingThatEndsWithIt()
    {
        const TimeSeries one{CpuQuantity::Used, {{{{44'000'000}, 7}}}};
        const TimeSeries shown = downsampled(one, {{0}, {44'000'000}}, 100);
        QCOMPARE(shown.pointCount(), std::size_t(1));
        QCOMPARE(shown.last()->value, 7.0);
    }

    void closesGapsThatAreNarrowerThanAColumn()
    {
        TimeSeries series{CpuQuantity::Used, {}};
        for (std::int64_t i = 0; i < 1000; ++i)
            series.segments.push_back({{{i * kSecond}, 1}}); // each moment for itself
        series.segments.push_back({{{1500 * kSecond}, 1}});
        const TimeRange range{{0}, {2000 * kSecond}};
        QCOMPARE(downsampled(series, range, 100).segments.size(), std::size_t(2));
        QVERIFY(downsampled(series, range, 100).pointCount() <= 2 * 100 + 2);
        QCOMPARE(downsampled(series, range, 4000).segments.size(), std::size_t(1001));
    }

    void reachesBeyondTheEdgesOfTheRange()
    {
        const TimeSeries part = downsampled(line({0, 1, 2, 3, 4, 5}), {{2 * kSecond}, {4 * kSecond}}, 100);
        QCOMPARE(part.segments[0].front().value, 1.0);
        QCOMPARE(part.segments[0].back().value, 4.0);
        const TimeSeries between = downsampled(line({0, 10}), {{kSecond / 4}, {kSecond / 2}}, 100);
        QCOMPARE(between.pointCount(), std::size_t(2));
    }

    void findsTheNearestPointAmongSegments()
    {
        TimeSeries series{CpuQuantity::Used, {}};
        for (std::int64_t i = 0; i < 100; ++i)
            series.segments.push_back({{{10 * i}, double(i)}, {{10 * i + 2}, double(i) + 0.5}});
        QCOMPARE(series.nearest({-5})->value, 0.0);
        QCOMPARE(series.nearest({503})->value, 50.5);
        QCOMPARE(series.nearest({509})->value, 51.0);
        QCOMPARE(series.nearest({5000})->value, 99.5);
    }

    void findsTheNearestPoint()
    {
        const TimeSeries series = line({5, 6, 7});
        QCOMPARE(series.nearest({kSecond + 1})->value, 6.0);
        QCOMPARE(series.nearest({-5})->value, 5.0);
        QCOMPARE(series.nearest({99 * kSecond})->value, 7.0);
        QVERIFY(!TimeSeries{}.nearest({0}));
    }

    void findsEverySourceByItsKey()
    {
        for (const SeriesSource &source : seriesSources())
            QVERIFY(seriesSourceOf(seriesInfo(source).key) == source);
        QVERIFY(!seriesSourceOf("nonsense"));
    }

    void spreadsAllocationsOverTimeAndSize()
    {
        SnapshotBuilder builder;
        builder.raw().heapSizes
            = {{{{0}, {kSecond}}, sizeBin(64), 8, 512}, {{{kSecond}, {2 * kSecond}}, sizeBin(4096), 2, 8192}};
        const Snapshot snapshot = builder.build();
        const HeatMap map = heatMap(snapshot, {{0}, {10 * kSecond}}, HeatWeight::Allocations, 100);
        QCOMPARE(map.columns, std::size_t(10));
        QCOMPARE(map.firstBin, sizeBin(64));
        QCOMPARE(map.at(0, 0), 8.0);
        QCOMPARE(map.at(1, map.rows - 1), 2.0);
        QCOMPARE(map.sum, 10.0);
        const HeatMap coarse = heatMap(snapshot, {{0}, {10 * kSecond}}, HeatWeight::Bytes, 3);
        QCOMPARE(coarse.sum, 8704.0);
        QCOMPARE(heatMap(snapshot, {{5 * kSecond}, {6 * kSecond}}, HeatWeight::Bytes, 3).rows, std::size_t(0));
    }

    /// 32 MiB in one block is in one column, however the ticks lie; a scan's short ticks get no column of their own.
    void columnsOfTheHeatMapHoldWholeTicks()
    {
        SnapshotBuilder builder;
        builder.raw().tickEnds.clear();
        Timestamp begin;
        for (const std::int64_t ms : {1099, 2099, 3099, 3102, 3177, 4100, 5100, 6100, 6130}) {
            const TimeRange span{begin, {ms * kMs}};
            builder.raw().heapSizes.push_back({span, sizeBin(64), 1, 64});
            if (ms == 3099)
                builder.raw().heapSizes.push_back({span, sizeBin(32 << 20), 1, 32 << 20});
            builder.raw().tickEnds.push_back(begin = span.end);
        }
        const Snapshot snapshot = builder.build();
        const TimeRange whole{{0}, begin};
        const HeatMap fine = heatMap(snapshot, whole, HeatWeight::Allocations, 100);
        QCOMPARE(fine.columns, std::size_t(6));
        QCOMPARE(fine.columnSpan(2), (TimeRange{{2099 * kMs}, {3099 * kMs}}));
        QCOMPARE(fine.columnSpan(5), (TimeRange{{5100 * kMs}, {6130 * kMs}}));
        for (const std::size_t columns : {100, 6, 4, 3, 2, 1}) {
            const HeatMap map = heatMap(snapshot, whole, HeatWeight::Allocations, columns);
            QVERIFY(map.columns <= columns);
            QCOMPARE(map.sum, 10.0);
            std::size_t coloured = 0;
            for (std::size_t i = 0; i < map.columns; ++i)
                coloured += map.at(i, map.rows - 1) > 0 ? 1 : 0;
            QCOMPARE(coloured, std::size_t(1));
        }
        QCOMPARE(heatMap(snapshot, {{1500 * kMs}, {4 * kSecond}}, HeatWeight::Allocations, 3).sum, 5.0);
    }

    void shadesNothingOnlyWhereNothingIs()
    {
        QCOMPARE(heatShade(0, 100), 0.0);
        QCOMPARE(heatShade(100, 100), 1.0);
        QVERIFY(heatShade(1, 1e9) > 0);
        QVERIFY(heatShade(10, 1000) > heatShade(9, 1000));
    }
};

QTEST_APPLESS_MAIN(TimeSeriesTest)
#include "time_series_test.moc"
