// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/growth_pattern.h"
#include "tests/support/metric_series.h"

#include <QTest>

using namespace model;
using namespace tests;

namespace {

TimeSeries seriesOf(const MetricShape &shape, Random &random)
{
    TimeSeries series{Metric::Rss, {{}}};
    std::int64_t minute = 0;
    for (const double value : metricSeries(shape, random))
        series.segments.front().push_back({{++minute * 60'000'000'000}, value * 1e8});
    return series;
}

} // namespace

class GrowthPatternTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsShapesApart_data()
    {
        QTest::addColumn<int>("expected");
        QTest::addColumn<int>("shape");
        const std::pair<const char *, GrowthPattern> rows[]{{"flat", GrowthPattern::Flat},
            {"linear", GrowthPattern::Linear}, {"warm-up", GrowthPattern::WarmUp},
            {"slow warm-up", GrowthPattern::WarmUp}, {"accelerating", GrowthPattern::Accelerating},
            {"sawtooth", GrowthPattern::Sawtooth}, {"quick sawtooth", GrowthPattern::Sawtooth},
            {"daily", GrowthPattern::Periodic}};
        for (int i = 0; i < 8; ++i)
            QTest::newRow(rows[i].first) << static_cast<int>(rows[i].second) << i;
    }
    void tellsShapesApart()
    {
        const MetricShape shapes[]{{}, {.growth = 0.05}, {.warmup = 0.2, .warmupHours = 3},
            {.warmup = 0.2, .warmupHours = 10}, {.growth = 0.3, .isAccelerating = true}, {.sawtooth = 0.05},
            {.sawtooth = 0.05, .sawtoothHours = 3}, {.daily = 0.03}};
        QFETCH(int, expected);
        QFETCH(int, shape);
        Random random(31);
        int right = 0;
        for (int i = 0; i < 20; ++i)
            right
                += growthShape(seriesOf(shapes[shape], random)).pattern == static_cast<GrowthPattern>(expected) ? 1 : 0;
        QVERIFY2(right >= 18, qPrintable(QString::number(right)));
    }

    /// A leak of 20 kB each 20 ms, of which the first seconds are half a percent slower.
    void evenGrowthDoesNotAccelerate()
    {
        const auto rising = [](double bend) {
            TimeSeries series{Metric::Anonymous, {{}}};
            for (int i = 0; i < 45; ++i) {
                const double seconds = i + 1, noise = 8192 * std::sin(i * 7.0);
                series.segments.front().push_back(
                    {{(i + 1) * 1'000'000'000ll}, 22.4e6 + 986e3 * seconds + bend * seconds * seconds + noise});
            }
            return growthShape(series).pattern;
        };
        QCOMPARE(rising(64), GrowthPattern::Linear);
        QCOMPARE(rising(4000), GrowthPattern::Accelerating); // by a third
    }

    void marksWhereItJumped()
    {
        Random random(5);
        TimeSeries series = seriesOf({}, random);
        std::vector<SeriesPoint> &points = series.segments.front();
        for (std::size_t i = 1000; i < points.size(); ++i)
            points[i].value += 5e6;
        for (std::size_t i = 2000; i < points.size(); ++i)
            points[i].value -= 2e6;
        const GrowthShape shape = growthShape(series);
        QCOMPARE(shape.pattern, GrowthPattern::Step);
        QCOMPARE(shape.changes.size(), std::size_t{2});
        QVERIFY(std::abs(shape.changes[0].seconds() / 60 - 1000) <= 21); // a block is 20 minutes
        QVERIFY(std::abs(shape.changes[1].seconds() / 60 - 2000) <= 21);
        QVERIFY2(shape.sentence.find("in 2 steps") != std::string::npos && std::abs(shape.change / 3e6 - 1) < 0.3,
            shape.sentence.c_str());
    }

    void measuresWhatItNames()
    {
        Random random(6);
        const GrowthShape linear = growthShape(seriesOf({.growth = 0.2}, random));
        QVERIFY(std::abs(linear.perHour / (0.2 * 1e8 / 48) - 1) < 0.03);
        QVERIFY(linear.perHour90.low < linear.perHour && linear.perHour < linear.perHour90.high);
        const GrowthShape daily = growthShape(seriesOf({.daily = 0.03}, random));
        QVERIFY(std::abs(daily.period->seconds() / 3600 - 24) < 1.5);
        const GrowthShape teeth = growthShape(seriesOf({.sawtooth = 0.05}, random));
        QVERIFY(std::abs(teeth.period->seconds() / 3600 - 6) < 0.5);
        const GrowthShape warm = growthShape(seriesOf({.warmup = 0.2, .warmupHours = 5}, random));
        QVERIFY(std::abs(warm.timeConstant->seconds() / 3600 - 5) < 1.5);
        QVERIFY(warm.explained > 0.9);
        QVERIFY2(std::abs(warm.change / (0.2 * 1e8) - 1) < 0.1, warm.sentence.c_str()); // the first sixth is half of it
    }

    void saysWhenThereIsNotEnough()
    {
        Random random(7);
        TimeSeries series = seriesOf({}, random);
        series.segments.front().resize(20);
        const GrowthShape shape = growthShape(series);
        QCOMPARE(shape.pattern, GrowthPattern::NotEnough);
        QVERIFY(shape.sentence.find("not enough data, 20 of 24 blocks") != std::string::npos);
        QCOMPARE(growthShape({}).pattern, GrowthPattern::NotEnough);
    }
};

QTEST_APPLESS_MAIN(GrowthPatternTest)
#include "growth_pattern_test.moc"
