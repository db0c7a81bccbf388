// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/size_bins.h"
#include "model/layout/axis_ticks.h"
#include "model/layout/flame_layout.h"
#include "model/layout/heat_map_layout.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>

using namespace model;
using tests::SnapshotBuilder;

class LayoutTest : public QObject
{
    Q_OBJECT

private:
    static CallTree tree(std::string_view samples)
    {
        return *callTree(SnapshotBuilder().cpu(samples).build(), {CostKind::CpuSamples});
    }

    static std::string labels(const Axis &axis)
    {
        std::string text;
        for (const AxisTick &tick : axis.ticks)
            text += (text.empty() ? "" : ", ") + tick.label;
        return text;
    }

private Q_SLOTS:
    void givesEachNodeItsShareOfTheWidth()
    {
        const CallTree calls = tree("main;a 75\nmain;b 25\n");
        const FlameLayout layout = flameLayout(calls, {.widthPx = 400});
        QCOMPARE(layout.rects.size(), std::size_t(4)); // all, main, a, b
        QCOMPARE(layout.rows, 3u);
        QCOMPARE(layout.rects[2].width, 300.0f);
        QCOMPARE(layout.rects[3].x, 300.0f);
        QCOMPARE(calls.name(layout.rects[3].node), std::string("b"));
    }

    void mergesWhatIsTooNarrowAndCountsIt()
    {
        std::string samples = "main;wide 900\n";
        for (int i = 0; i < 100; ++i)
            samples += "main;f" + std::to_string(i) + " 1\n";
        const FlameLayout layout = flameLayout(tree(samples), {.widthPx = 500, .leastWidthPx = 2});
        const FlameRect &last = layout.rects.back();
        QCOMPARE(last.merged, 100u);
        QCOMPARE(last.total, std::int64_t(100));
        QVERIFY(std::abs(last.width - 50) < 0.01f);
        QCOMPARE(layout.hidden, 100u);
        QCOMPARE(layout.rects.size(), std::size_t(4));
    }

    void zoomsOntoANodeBelowItsCallers()
    {
        const CallTree calls = tree("main;a;x 75\nmain;b 25\n");
        const NodeId a = calls.child(calls.child(CallTree::root(), 0), 0);
        const FlameLayout layout = flameLayout(calls, {.widthPx = 400, .zoom = a});
        QCOMPARE(layout.rects.size(), std::size_t(4)); // all, main, a, x
        for (const FlameRect &rect : layout.rects)
            QCOMPARE(rect.width, 400.0f);
        QCOMPARE(layout.rects[2].node, a);
    }

    void findsTheRectangleUnderThePointer()
    {
        const FlameLayout layout = flameLayout(tree("main;a 75\nmain;b 25\n"), {.widthPx = 400});
        QCOMPARE(*layout.at(10, 2), std::size_t(2));
        QCOMPARE(*layout.at(300, 2), std::size_t(3));
        QCOMPARE(*layout.at(399.9, 0), std::size_t(0));
        QVERIFY(!layout.at(10, 3));
        QVERIFY(!layout.at(-1, 1));
    }

    void drawsNothingOfNothing() { QVERIFY(flameLayout(CallTree(), {}).rects.empty()); }

    void choosesRoundTicks_data()
    {
        QTest::addColumn<double>("least");
        QTest::addColumn<double>("greatest");
        QTest::addColumn<int>("unit");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *name, double least, double greatest, Unit unit, const char *expected) {
            QTest::newRow(name) << least << greatest << static_cast<int>(unit) << QString::fromUtf8(expected);
        };
        row("bytes", 0, 2e9, Unit::Bytes, "0, 512 MiB, 1 GiB, 1.5 GiB, 2 GiB");
        row("few bytes", 0, 3, Unit::Bytes, "0, 1 B, 2 B, 3 B");
        row("percent", 3, 61, Unit::Percent, "0, 20 %, 40 %, 60 %, 80 %");
        row("count", 0, 3, Unit::Count, "0, 1, 2, 3");
        row("rate", 0, 118'000, Unit::PerSecond, "0, 50 k/s, 100 k/s, 150 k/s");
        row("nothing", 0, 0, Unit::Count, "0, 1, 2, 3, 4");
        row("negative", -3, 3, Unit::Count, "−4, −2, 0, 2, 4");
    }

    void choosesRoundTicks()
    {
        QFETCH(double, least);
        QFETCH(double, greatest);
        QFETCH(int, unit);
        QFETCH(QString, expected);
        const Axis axis = valueAxis(least, greatest, static_cast<Unit>(unit));
        QCOMPARE(QString::fromStdString(labels(axis)), expected);
        QVERIFY(axis.least <= least && axis.greatest >= greatest);
    }

    void neverMarksMoreThanFivePlaces()
    {
        for (double greatest = 1; greatest < 1e15; greatest *= 1.37)
            for (const Unit unit : {Unit::Bytes, Unit::Count, Unit::Percent}) {
                const Axis axis = valueAxis(greatest / 3, greatest, unit, false);
                QVERIFY(axis.ticks.size() >= 2 && axis.ticks.size() <= 5);
            }
    }

    void marksRoundTimes()
    {
        constexpr std::int64_t kStart = 1'764'000'123'000'000'000; // 16:02:03 UTC
        const TimeRange hour{{0}, {3600'000'000'000}};
        const std::vector<TimeTick> clock = timeTicks(hour, TimeLabels::Clock, kStart, "+00:00");
        QCOMPARE(clock.front().label, std::string("16:15"));
        QCOMPARE(clock.front().when.ns, std::int64_t(777) * 1'000'000'000);
        QVERIFY(clock.size() >= 3 && clock.size() <= 5);
        const std::vector<TimeTick> offset = timeTicks(hour, TimeLabels::Offset, kStart, "+00:00");
        QCOMPARE(offset[1].label, std::string("15:00"));
        const TimeRange second{{0}, {1'000'000'000}};
        QCOMPARE(timeTicks(second, TimeLabels::Offset, kStart, "+00:00")[1].label, std::string("0:00.200"));
        QCOMPARE(timeTicks(second, TimeLabels::Clock, kStart, "+00:00")[1].label, std::string("16:02:03.200"));
    }

    /// Where there is room for two marks, there are two, however the range lies to round times.
    void neverMarksOneTimeAlone()
    {
        constexpr std::int64_t kStart = 1'764'000'123'000'000'000;
        for (std::int64_t seconds = 2; seconds < 7200; seconds += 7)
            for (const std::size_t most : {2u, 3u, 5u}) {
                const TimeRange range{{0}, {seconds * 1'000'000'000}};
                const auto ticks = timeTicks(range, TimeLabels::Clock, kStart, "+00:00", most);
                QVERIFY2(ticks.size() >= 2 && ticks.size() <= most, std::to_string(seconds).c_str());
            }
    }

    void namesTheDaysOfALongRecording()
    {
        constexpr std::int64_t kStart = 1'764'000'123'000'000'000; // 2025-11-24 16:02:03 UTC
        const TimeRange days{{0}, {2 * 86'400'000'000'000}};
        const std::vector<TimeTick> ticks = timeTicks(days, TimeLabels::Clock, kStart, "+00:00");
        QCOMPARE(ticks.at(0).label, std::string("Nov 25"));
        QCOMPARE(ticks.at(1).label, std::string("12:00"));
        QCOMPARE(ticks.at(2).label, std::string("Nov 26"));
    }

    void placesHeatUpwardsBySize()
    {
        HeatMap map{.range = {{0}, {10}},
            .columns = 2,
            .edges = {{0}, {5}, {10}},
            .firstBin = sizeBin(1024),
            .rows = 2,
            .cells = {4, 0, 0, 9},
            .greatest = 9,
            .sum = 13};
        const HeatMapLayout layout = heatMapLayout(map, 100, 50);
        QCOMPARE(layout.rects.size(), std::size_t(2));
        QCOMPARE(layout.rects[0].y, 25.0f);
        QCOMPARE(layout.rects[1].y, 0.0f);
        QCOMPARE(layout.rects[1].x, 50.0f);
        QCOMPARE(layout.rects[1].shade, 1.0f);
        QCOMPARE(layout.sizeTicks.front().label, std::string("1 KiB"));
        QCOMPARE(layout.at(99, 1)->row, std::size_t(1));
        QCOMPARE(layout.at(99, 49)->row, std::size_t(0));
        QVERIFY(!layout.at(100, 1));
    }

    void marksAtMostEightSizes()
    {
        HeatMap map{.range = {{0}, {10}},
            .columns = 1,
            .edges = {{0}, {10}},
            .firstBin = 0,
            .rows = kSizeBinCount,
            .cells = std::vector<double>(kSizeBinCount, 1),
            .greatest = 1,
            .sum = kSizeBinCount};
        const HeatMapLayout layout = heatMapLayout(map, 100, 400);
        QVERIFY(layout.sizeTicks.size() >= 4 && layout.sizeTicks.size() <= 8);
    }
};

QTEST_APPLESS_MAIN(LayoutTest)
#include "layout_test.moc"
