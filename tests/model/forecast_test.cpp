// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/forecast_words.h"
#include "model/analysis/judged_forecast.h"
#include "model/analysis/series_blocks.h"
#include "model/analysis/session_forecast.h"
#include "model/report/forecast_report.h"
#include "tests/support/growth_series.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <cmath>
#include <memory>
#include <sstream>

using namespace model;
using namespace tests;

namespace {

constexpr double kMiB = 1024 * 1024;
constexpr Duration kSecond{1'000'000'000};

/// Resident memory that grows by `perSecond` with some noise, a value a second.
TimeSeries growing(std::size_t seconds, double perSecond, double noise = 64 * 1024, std::uint64_t seed = 9)
{
    Random random(seed);
    std::vector<double> values;
    for (std::size_t i = 0; i < seconds; ++i)
        values.push_back(100 * kMiB + perSecond * static_cast<double>(i) + noise * random.normal());
    return lineOf(values, seconds, kSecond);
}

ForecastOptions limited(double limit) { return {.limit = ForecastLimit{limit, "limit of the test"}, .paths = 400}; }

} // namespace

class ForecastTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void coversTheTruth_data()
    {
        QTest::addColumn<int>("kind");
        for (const GrowthKind kind : kGrowthKinds)
            QTest::newRow(nameOf(kind).data()) << static_cast<int>(kind);
    }

    void coversTheTruth()
    {
        QFETCH(int, kind);
        const ForecastScore score = scoreForecasts(static_cast<GrowthKind>(kind), 576, 12, 150, 5);
        QVERIFY2(score.covered90 >= 0.75, qPrintable(QString::number(score.covered90)));
        QVERIFY(score.covered90 >= score.lineCovered90);
    }

    void foretellsALinearLeakFromTenMinutes()
    {
        const Forecast ahead = *forecast(growing(600, 0.1 * kMiB), limited(250 * kMiB));
        QCOMPARE(ahead.state, ForecastState::Forecast);
        QVERIFY(ahead.isGrowing);
        const double truth = (250 - 100 - 0.1 * 599) / 0.1; // s after the last value
        QVERIFY(ahead.timeToLimit->q05 && ahead.timeToLimit->q95);
        QVERIFY(ahead.timeToLimit->q05->seconds() <= truth && truth <= ahead.timeToLimit->q95->seconds());
        QVERIFY(std::abs(ahead.timeToLimit->median->seconds() - truth) < 0.05 * truth);
        QVERIFY(std::abs(ahead.trend.slope / (360 * kMiB) - 1) < 0.02);
        QCOMPARE(ahead.horizon.seconds(), 2400.0);
        QCOMPARE(ahead.band.back().when.seconds(), 3000.0);
        QVERIFY(!ahead.reachedWithin[0]); // an hour is beyond what ten minutes tell
        QVERIFY(ahead.verdict.find("is reached in") != std::string::npos);
    }

    void widensTheBandWithTime()
    {
        const Forecast ahead = *forecast(growing(600, 0.1 * kMiB), limited(250 * kMiB));
        for (const ForecastBand &band : ahead.band)
            QVERIFY(band.q05 <= band.q25 && band.q25 <= band.q50 && band.q50 <= band.q75 && band.q75 <= band.q95);
        const auto width = [](const ForecastBand &band) { return band.q95 - band.q05; };
        QVERIFY(width(ahead.band.back()) > width(ahead.band.front()));
    }

    void givesTheSameAnswerForTheSameSeed()
    {
        const TimeSeries series = growing(200, 0.1 * kMiB);
        QCOMPARE(forecast(series, limited(250 * kMiB))->verdict, forecast(series, limited(250 * kMiB))->verdict);
    }

    void saysWhatIsMissing()
    {
        const Forecast none = *forecast(TimeSeries{Metric::Rss, {}}, {});
        QCOMPARE(none.state, ForecastState::NotEnoughData);
        QVERIFY(none.reason.find("no values") != std::string::npos);
        const Forecast few = *forecast(growing(8, kMiB), limited(1000 * kMiB));
        QCOMPARE(few.state, ForecastState::NotEnoughData);
        QVERIFY(few.reason.find("12 are needed") != std::string::npos);
        const Forecast some = *forecast(growing(30, kMiB), limited(1000 * kMiB));
        QCOMPARE(some.state, ForecastState::DirectionOnly);
        QVERIFY(some.isGrowing);
        QVERIFY(!some.timeToLimit);
        QVERIFY(some.reason.find("48 are needed") != std::string::npos);
    }

    /// A second or two, of which the end is not judged, leave no value at all.
    void saysHowLongARecordingHasToBe()
    {
        const auto of = [](std::size_t ticks) {
            SnapshotBuilder builder;
            builder.raw().info.config.tick = kSecond;
            builder.ticks(ticks, kSecond).metric(Metric::Rss, std::vector<std::int64_t>(ticks, 4 << 20));
            builder.tables().changeProcess(builder.process()).end
                = Timestamp{static_cast<std::int64_t>(ticks) * kSecond.ns};
            const Snapshot snapshot = builder.build();
            return *judgedForecast(snapshot, Metric::Rss, {}, {});
        };
        for (const std::size_t ticks : {1, 2, 3, 12}) {
            QVERIFY2(of(ticks).state == ForecastState::NotEnoughData, std::to_string(ticks).c_str());
            QCOMPARE(of(ticks).reason,
                formatDuration(Duration::fromSeconds(static_cast<double>(ticks)))
                    + " of recording are too short, 13 s are needed to see a direction and 49 s for a forecast");
        }
        QCOMPARE(of(13).state, ForecastState::DirectionOnly);
        QCOMPARE(of(48).state, ForecastState::DirectionOnly);
        QCOMPARE(of(49).state, ForecastState::Forecast);
        QCOMPARE(
            leastRecording(kLeastForecastBlocks, Duration::fromSeconds(60), kSecond), Duration::fromSeconds(49 * 60));
    }

    /// Of two steps one is a little longer than the other.
    void takesAFewLateTicksForNoLongerStep()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.tick = kSecond;
        builder.ticks(4, kSecond);
        builder.raw().tickEnds = {{1'098'000'000}, {2'093'000'000}, {3'113'000'000}, {4'000'000'000}};
        const std::string reason
            = judgedForecast(builder.metric(Metric::Rss, {1, 1, 1}).build(), Metric::Rss, {}, {})->reason;
        QVERIFY2(reason.find(" 13 s are needed to see a direction and 49 s ") != std::string::npos, reason.c_str());
    }

    void saysHowMuchOfTheGrowthIsTheTracers()
    {
        constexpr std::int64_t kBytes = 1 << 20;
        const auto of = [](std::int64_t tracerBytes) {
            SnapshotBuilder builder;
            std::vector<std::int64_t> rss;
            MemoryPartsSeries parts{builder.process(), {}, {}};
            builder.ticks(60, kSecond);
            for (std::int64_t i = 1; i <= 60; ++i) {
                rss.push_back(i * kBytes);
                parts.times.push_back(builder.raw().tickEnds[static_cast<std::size_t>(i - 1)]);
                MemoryPartsRow row{.process = builder.process()};
                row.tracer = i * tracerBytes;
                row.unknown = i * (kBytes - tracerBytes);
                row.isMeasured = true;
                parts.values.push_back(row);
            }
            builder.metric(Metric::Rss, rss);
            builder.raw().memoryParts.push_back(parts);
            return judgedForecast(builder.build(), Metric::Rss, {}, {})->verdict;
        };
        QVERIFY(of(kBytes / 8).find("tracer") == std::string::npos);
        const std::string half = of(kBytes / 2);
        QVERIFY2(
            half.find(" Recording is part of it: the tracer's own memory grew by ") != std::string::npos, half.c_str());
    }

    /// What costs much to find out is read more rarely than at each tick; that many values take longer.
    void saysHowLongARecordingHasToBeForWhatIsReadRarely()
    {
        const auto of = [](std::size_t reads) {
            SnapshotBuilder builder;
            builder.raw().info.config.tick = kSecond;
            builder.ticks(reads * 10, kSecond).metric(Metric::Rss, std::vector<std::int64_t>(reads * 10, 4 << 20));
            MetricSeries &series = builder.raw().metrics.front();
            for (std::size_t i = 0; i < series.values.size(); i += 10)
                series.values[i].set(Metric::Pss, 4 << 20);
            builder.tables().changeProcess(builder.process()).end
                = Timestamp{static_cast<std::int64_t>(reads) * 10 * kSecond.ns};
            const Snapshot snapshot = builder.build();
            return *judgedForecast(snapshot, Metric::Pss, {}, {});
        };
        QCOMPARE(of(5).state, ForecastState::NotEnoughData);
        QCOMPARE(of(5).reason,
            std::string("50 s of recording are too short, 2 min 1 s are needed to see a direction and 8 min 1 s for a "
                        "forecast"));
        QCOMPARE(of(13).state, ForecastState::DirectionOnly);
        QCOMPARE(of(49).state, ForecastState::Forecast);
    }

    void refusesAnIntervalWithinADeclaredCycle()
    {
        ForecastOptions options = limited(1000 * kMiB);
        options.season = Duration::fromSeconds(500);
        const Forecast ahead = *forecast(growing(600, kMiB), options);
        QCOMPARE(ahead.state, ForecastState::DirectionOnly);
        QVERIFY(ahead.reason.find("1.5 cycles") != std::string::npos);
    }

    void seesNoDangerInAFlatLine()
    {
        const Forecast noisy = *forecast(growing(600, 0), limited(500 * kMiB));
        QVERIFY(!noisy.isGrowing && !noisy.isShrinking);
        QVERIFY(noisy.timeToLimit->reachedWithinHorizon < 0.01);
        QVERIFY(noisy.verdict.find("shows no trend") != std::string::npos);
        const Forecast constant = *forecast(growing(600, 0, 0), limited(500 * kMiB));
        QCOMPARE(constant.state, ForecastState::Forecast);
        QCOMPARE(constant.timeToLimit->reachedWithinHorizon, 0.0);
        QVERIFY(std::abs(constant.band.back().q50 - 100 * kMiB) < 1024);
    }

    /// What moved and has no trend has no level either that it stays at.
    void tellsWhereALevelChanged_data()
    {
        QTest::addColumn<std::vector<double>>("levels"); // MiB, for a part of the time each
        QTest::addColumn<QString>("words");
        QTest::newRow("flushed") << std::vector<double>{35.4, 35.4, 35.4, 35.4, 44.9, 15.4}
                                 << "fell from 44.9 MiB to 15.4 MiB, with no trend in 1 min";
        QTest::newRow("filled") << std::vector<double>{8.3, 8.3, 34.6, 34.6, 34.6, 34.6}
                                << "rose from 8.3 MiB to 34.6 MiB and has stood still for 40 s";
        QTest::newRow("for a while") << std::vector<double>{
            35, 35, 35, 45, 35, 35} << "went from 35 MiB to 45 MiB and is at 35 MiB again and has stood still for 20 s";
        QTest::newRow("just now") << std::vector<double>{35, 35, 35, 35, 35, 35, 35, 35, 35, 15}
                                  << "fell from 35 MiB to 15 MiB, with no trend in 1 min";
        QTest::newRow("started") << std::vector<double>{8, 35, 35, 35, 35, 35, 35, 35, 35, 35, 35, 35}
                                 << "stays at 35 MiB (1 min seen)";
        QTest::newRow("constant") << std::vector<double>{35, 35, 35, 35, 35, 35} << "stays at 35 MiB (1 min seen)";
        QTest::newRow("nearly") << std::vector<double>{35, 35, 35, 35, 35, 35.5} << "shows no trend in 1 min";
    }

    void tellsWhereALevelChanged()
    {
        QFETCH(std::vector<double>, levels);
        QFETCH(QString, words);
        constexpr std::size_t kSeconds = 60;
        std::vector<double> values;
        for (std::size_t i = 0; i < kSeconds; ++i)
            values.push_back(levels[i * levels.size() / kSeconds] * kMiB);
        const Forecast ahead = *forecast(lineOf(values, kSeconds, kSecond), limited(1000 * kMiB));
        QVERIFY2(ahead.verdict.starts_with("Resident memory " + words.toStdString()), ahead.verdict.c_str());
        QVERIFY2(std::abs(ahead.level - levels.back() * kMiB) < kMiB, std::to_string(ahead.level / kMiB).c_str());
    }

    void forgetsTheWarmUp()
    {
        Random random(4);
        std::vector<double> values;
        for (int i = 0; i < 600; ++i)
            values.push_back((i < 100 ? i * 5.0 : 500) * kMiB + random.normal() * 0.1 * kMiB);
        const Forecast ahead = *forecast(lineOf(values, 600, kSecond), limited(900 * kMiB));
        QVERIFY(ahead.slopeChange);
        QVERIFY(std::abs(ahead.slopeChange->seconds() - 100) < 20);
        QVERIFY(!ahead.isGrowing);
        QVERIFY(ahead.timeToLimit->reachedWithinHorizon < 0.2);
    }

    /// Too near the beginning to be found as a change of slope, which needs as many blocks on each side.
    void foretellsNoStartUp()
    {
        Random random(6);
        std::vector<double> values;
        for (int i = 0; i < 50; ++i)
            values.push_back((i < 13 ? 100 + i * 8.0 : 204) * kMiB + random.normal() * 0.1 * kMiB);
        const Forecast ahead = *forecast(lineOf(values, 50, kSecond), limited(1000 * kMiB));
        QVERIFY2(ahead.verdict.find("has stood still for") != std::string::npos, ahead.verdict.c_str());
        QVERIFY(ahead.slopeChange);
        const double median = ahead.band.back().q50 / kMiB;
        QVERIFY2(std::abs(median - 204) < 10, std::to_string(median).c_str());
        QVERIFY(ahead.band.back().q95 / kMiB > 300); // and should it go on as it began, that is within the band
    }

    void knowsThatTheLimitIsBehind()
    {
        const Forecast ahead = *forecast(growing(100, kMiB), limited(150 * kMiB));
        QCOMPARE(ahead.timeToLimit->median->ns, std::int64_t(0));
        QVERIFY(ahead.verdict.find("already") != std::string::npos);
    }

    void looksOnlyAtTheHistoryAskedFor()
    {
        ForecastOptions options = limited(1000 * kMiB);
        options.history = TimeRange{{0}, {100 * kSecond.ns}};
        const Forecast ahead = *forecast(growing(600, kMiB), options);
        QCOMPARE(ahead.blocks, std::size_t(100));
        QCOMPARE(ahead.now.seconds(), 100.0);
    }

    void cutsSeriesIntoRoundBlocks()
    {
        const TimeRange all{{0}, {100'000 * kSecond.ns}};
        const SeriesBlocks fine = seriesBlocks(growing(600, 0), all, 600);
        QCOMPARE(fine.length.seconds(), 1.0);
        QCOMPARE(fine.values.size(), std::size_t(600));
        QCOMPARE(fine.filled, std::size_t(0));
        const SeriesBlocks coarse = seriesBlocks(growing(7200, 1, 0), all, 600);
        QCOMPARE(coarse.length.seconds(), 15.0);
        QCOMPARE(coarse.values.size(), std::size_t(480));
        QVERIFY(std::abs(coarse.values[1] - coarse.values[0] - 15) < 1e-6);
        QCOMPARE(coarse.endOf(479), coarse.span.end);
    }

    void countsBlocksWithoutData()
    {
        TimeSeries series = growing(100, kMiB, 0);
        std::vector<SeriesPoint> later(series.segments[0].begin() + 60, series.segments[0].end());
        series.segments[0].resize(40);
        series.segments.push_back(later);
        const SeriesBlocks blocks = seriesBlocks(series, {{0}, {100 * kSecond.ns}}, 600);
        QCOMPARE(blocks.values.size(), std::size_t(100));
        QCOMPARE(blocks.filled, std::size_t(20));
        QVERIFY(std::abs(blocks.values[50] - 150 * kMiB) < 1);
        const Forecast ahead = *forecast(series, limited(1000 * kMiB));
        QVERIFY(ahead.method.find("20 without data") != std::string::npos);
    }

    void takesTheNearestLimit()
    {
        const auto mib = [](int n) { return static_cast<std::int64_t>(n) * 1024 * 1024; };
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {mib(100)}).metric(Metric::SystemAvailable, {mib(400)});
        QCOMPARE(memoryLimit(builder.build(), Metric::Rss)->value, 500 * kMiB);
        builder.metric(Metric::MemoryLimit, {mib(300)});
        const std::optional<ForecastLimit> limit = memoryLimit(builder.build(), Metric::Rss);
        QCOMPARE(limit->value, 300 * kMiB);
        QCOMPARE(limit->name, std::string("limit of the control group"));
        QVERIFY(!memoryLimit(builder.build(), Metric::Threads));
        QVERIFY(!memoryLimit(SnapshotBuilder().build(), Metric::Rss));
    }

    void knowsWhatBindsEachQuantity()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::VirtualSize, {900}).metric(Metric::OpenFiles, {10}).metric(Metric::Threads, {3});
        QVERIFY(!knownLimit(builder.build(), Metric::VirtualSize)); // unlimited
        builder.metric(Metric::AddressLimit, {1000})
            .metric(Metric::OpenFileLimit, {64})
            .metric(Metric::ThreadLimit, {50});
        builder.metric(Metric::DiskUsed, {700}).metric(Metric::DiskSize, {800});
        Snapshot snapshot = builder.build();
        snapshot.info.disk = "/data";
        QCOMPARE(knownLimit(snapshot, Metric::VirtualSize)->limit.value, 1000.0);
        QVERIFY(knownLimit(snapshot, Metric::VirtualSize)->process.has_value()); // it binds each process by itself
        QCOMPARE(knownLimit(snapshot, Metric::OpenFiles)->limit.value, 64.0);
        QCOMPARE(knownLimit(snapshot, Metric::Threads)->limit.value, 50.0);
        QVERIFY(!knownLimit(snapshot, Metric::Threads)->process);
        QCOMPARE(knownLimit(snapshot, Metric::DiskUsed)->limit.name, std::string("size of the file system on /data"));
        QVERIFY(!knownLimit(snapshot, Metric::MinorFaults));
        // The last row of a process that ended tells nothing; what it told before counts.
        snapshot.metrics.front().times.push_back(snapshot.tickEnds.back());
        snapshot.metrics.front().values.emplace_back();
        QCOMPARE(knownLimit(snapshot, Metric::VirtualSize)->limit.value, 1000.0);
        QVERIFY(isLimit(Metric::DiskSize) && !isLimit(Metric::DiskUsed) && canHaveLimit(Metric::DiskUsed));
    }

    void saysHowLongOtherLimitsWouldLast()
    {
        ForecastOptions options;
        options.otherLimits = {4096 * kMiB, 2048 * kMiB};
        const Forecast ahead = *forecast(growing(3600, kMiB / 4, 96 * kMiB), options); // 900 MiB an hour
        QCOMPARE(ahead.state, ForecastState::Forecast);
        QVERIFY(!ahead.timeToLimit); // no limit of its own
        QCOMPARE(ahead.otherLimits.size(), std::size_t(2));
        // It is at about 1000 MiB: so 1048 MiB are left below the smaller one.
        const TimeToLimit &soon = ahead.otherLimits[1].time;
        const double hours = soon.median->seconds() / 3600;
        QVERIFY2(std::abs(hours / ((2048 - ahead.level / kMiB) / 900) - 1) < 0.15, qPrintable(QString::number(hours)));
        QVERIFY(*soon.q05 < *soon.q95 && *soon.q05 <= *soon.median && *soon.median <= *soon.q95);
        QVERIFY(
            capacityText(ahead.otherLimits[1], ahead.horizon, Unit::Bytes).starts_with("A limit of 2 GiB would last "));
        ForecastOptions same = options;
        same.limit = ForecastLimit{2048 * kMiB, "limit"};
        same.otherLimits.clear();
        // Told beside another limit or by itself, the answer is the same.
        QCOMPARE(forecast(growing(3600, kMiB / 4, 96 * kMiB), same)->timeToLimit->median->ns, soon.median->ns);
    }

    /// What a program gives back as it ends says nothing of how it grew.
    void leavesTheEndOfTheProgramOut()
    {
        SnapshotBuilder builder;
        builder.ticks(60, kSecond);
        std::vector<std::int64_t> rss;
        for (std::int64_t i = 0; i < 60; ++i)
            rss.push_back((100 << 20) + i * (64 << 10) + (i * 7919 % 13) * 1024);
        SnapshotBuilder ended = builder;
        const Snapshot running = builder.metric(Metric::Rss, rss).build();
        rss.back() = 3 << 20;
        ended.metric(Metric::Rss, rss);
        ended.tables().changeProcess(ended.process()).end = Timestamp{59 * kSecond.ns + kSecond.ns / 2};
        const Snapshot over = ended.build();
        const auto before = *sessionForecasts(running, *findLeaks(running), {});
        const auto after = *sessionForecasts(over, *findLeaks(over), {});
        QVERIFY(before.at(0).forecast.isGrowing && after.at(0).forecast.isGrowing);
        QVERIFY(std::abs(after[0].forecast.level / before[0].forecast.level - 1) < 0.01);
        const auto widened = [](const ForecastedQuantity &of) { return of.forecast.inflation; };
        QVERIFY(widened(after[0]) < 2 * widened(before[0]));
    }

    void takesRequestedBytesForMemoryOnlyAsFarAsTheyAreResident_data()
    {
        QTest::addColumn<double>("resident"); ///< at the begin
        QTest::addColumn<double>("residentPerRequested");
        QTest::addColumn<double>("limit"); ///< 0: none
        QTest::newRow("never touched") << 10 * kMiB << 0.01 << 0.0;
        QTest::newRow("in pages touched before") << 100 * kMiB << 0.01 << 1000 * kMiB;
        QTest::newRow("touched") << 100 * kMiB << 1.0 << 1000 * kMiB;
        // 162 MiB are resident at the end, and 50 MiB live: the other 838 MiB are used up by 670 MiB of small blocks.
        QTest::newRow("small blocks") << 100 * kMiB << 1.25
                                      << (599.0 / 12 + (1000 - 100 - 599 * 1.25 / 12) / 1.25) * kMiB;
    }

    void takesRequestedBytesForMemoryOnlyAsFarAsTheyAreResident()
    {
        QFETCH(const double, resident);
        QFETCH(const double, residentPerRequested);
        QFETCH(const double, limit);
        SnapshotBuilder builder;
        builder.ticks(600, kSecond);
        HeapSeries heap{builder.image(), {}, {}};
        std::vector<std::int64_t> rss;
        for (std::int64_t i = 0; i < 600; ++i) {
            const double live = static_cast<double>(i) / 12 * kMiB;
            heap.spans.push_back({{i * kSecond.ns}, {(i + 1) * kSecond.ns}});
            heap.ticks.push_back({.image = heap.image, .liveBytes = static_cast<std::int64_t>(live)});
            rss.push_back(static_cast<std::int64_t>(resident + residentPerRequested * live));
        }
        builder.metric(Metric::Rss, rss);
        Snapshot snapshot = builder.build();
        snapshot.heapSeries = {heap};
        SessionForecastOptions options;
        options.memoryLimit = 1000 * kMiB;
        const auto all = *sessionForecasts(snapshot, *findLeaks(snapshot), options);
        const auto live = std::find_if(all.begin(), all.end(), [](const ForecastedQuantity &each) {
            return each.forecast.source == SeriesSource(HeapQuantity::LiveBytes);
        });
        QVERIFY(live != all.end());
        QCOMPARE(live->forecast.limit.has_value(), limit > 0);
        if (limit > 0)
            QVERIFY(std::abs(live->forecast.limit->value - limit) < kMiB);
        QCOMPARE(all.front().forecast.limit->value, 1000 * kMiB);
    }

    void forecastsEverythingThatCanRunOut()
    {
        SnapshotBuilder builder;
        builder.ticks(600, kSecond);
        std::vector<std::int64_t> rss, files, limits(600, 1024);
        for (std::int64_t i = 0; i < 600; ++i) {
            rss.push_back((100 << 20) + i * (64 << 10) + (i * 7919 % 13) * 1024);
            files.push_back(20 + i / 2);
        }
        builder.metric(Metric::Rss, rss).metric(Metric::OpenFiles, files).metric(Metric::OpenFileLimit, limits);
        const Snapshot snapshot = builder.build();
        SessionForecastOptions options;
        options.memoryLimit = 512 * kMiB;
        const auto all = *sessionForecasts(snapshot, *findLeaks(snapshot), options);
        QCOMPARE(all.size(), std::size_t(2));
        QCOMPARE(all[0].key, std::string("rss_bytes"));
        QCOMPARE(all[0].forecast.limit->value, 512 * kMiB);
        QVERIFY(!all[0].forecast.otherLimits.empty());
        QCOMPARE(all[1].key, std::string("open_files_count"));
        QCOMPARE(all[1].forecast.limit->value, 1024.0);
        // 704 to go at one every two seconds.
        QVERIFY(std::abs(all[1].forecast.timeToLimit->median->seconds() - 1408) < 100);
        std::ostringstream text, csv, json;
        writeForecastsText(text, snapshot, all);
        QVERIFY(text.str().find("Open files grow by") != std::string::npos);
        QVERIFY(text.str().find("A limit of 256 MiB would last") != std::string::npos);
        writeForecastsCsv(csv, snapshot, all);
        writeForecastsJson(json, snapshot, all);
        const auto object = nlohmann::json::parse(json.str());
        QCOMPARE(object["quantities"][1]["limit"]["value"].get<double>(), 1024.0);
        QVERIFY(object["quantities"][1]["time_to_limit"]["median_s"].is_number());
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(!sessionForecasts(snapshot, *findLeaks(snapshot), options, stop.get_token()));
    }

    void writesRatesWithTheirInterval()
    {
        QCOMPARE(rateText(4.1 * kMiB, {3.7 * kMiB, 4.6 * kMiB}, Unit::Bytes), std::string("4.1 MiB/h (3.7–4.6)"));
        QCOMPARE(rateText(1.2 * kMiB, {900 * 1024.0, 1.5 * kMiB}, Unit::Bytes), std::string("1.2 MiB/h (0.88–1.50)"));
        QCOMPARE(rateText(427 * kMiB, {348 * kMiB, 3348 * kMiB}, Unit::Bytes), std::string("0.42 GiB/h (0.34–3.27)"));
        QCOMPARE(rateText(812, {700, 1200}, Unit::Count), std::string("0.81 k /h (0.7–1.2)"));
        QCOMPARE(rateText(12, Unit::Count), std::string("12 /h"));
    }

    void stopsWhenAsked()
    {
        const auto source = std::make_unique<std::stop_source>();
        source->request_stop();
        QVERIFY(!forecast(growing(600, kMiB), limited(1e12), source->get_token()));
    }
};

QTEST_APPLESS_MAIN(ForecastTest)
#include "forecast_test.moc"
