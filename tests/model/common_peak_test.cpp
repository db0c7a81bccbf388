// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/common_peak.h"

#include <QtTest>

using namespace model;

class CommonPeakTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void programsThatRunOneAfterTheOtherDoNotAddUp()
    {
        // Three in one tick, of which the second held most.
        const HeapSeries first = series({{0, 100, 20, 0}}), second = series({{0, 100, 30, 0}}),
                         third = series({{0, 100, 20, 0}});
        const std::vector<HeapLife> lives{
            {&first, {0}, Timestamp{30}}, {&second, {30}, Timestamp{60}}, {&third, {60}, Timestamp{90}}};
        const std::vector<PeakPart> parts = commonPeak(lives, all()).parts;
        QCOMPARE(parts.size(), std::size_t{1});
        QCOMPARE(parts[0].life, std::size_t{1});
        QCOMPARE(parts[0].bytes, 30);
        QVERIFY(parts[0].isInRow);
    }

    void thoseThatLiveTogetherDo()
    {
        // The parent was highest alone, before; then it holds 5 while two children hold 10 each.
        const HeapSeries parent = series({{0, 100, 15, 5}}), a = series({{200, 300, 10, 0}}),
                         b = series({{200, 300, 10, 0}});
        const std::vector<HeapLife> lives{{&parent, {0}, {}}, {&a, {210}, Timestamp{280}}, {&b, {250}, Timestamp{290}}};
        const std::vector<PeakPart> parts = commonPeak(lives, all()).parts;
        QCOMPARE(parts.size(), std::size_t{3});
        QCOMPARE(parts[0].bytes, 5);
        QVERIFY(!parts[0].isInRow);
        QCOMPARE(parts[1].bytes + parts[2].bytes, 20);
    }

    void onlyTheWindowCounts()
    {
        const HeapSeries one = series({{0, 100, 50, 40}, {500, 600, 60, 0}});
        const std::vector<HeapLife> lives{{&one, {0}, {}}};
        QCOMPARE(commonPeak(lives, {{0}, {400}}).parts.at(0).bytes, 50);
        const std::vector<PeakPart> between = commonPeak(lives, {{200}, {400}}).parts;
        QCOMPARE(between.size(), std::size_t{1});
        QCOMPARE(between[0].bytes, 40);
        QVERIFY(!between[0].isInRow);
        const HeapSeries brief = series({{0, 100, 50, 40}});
        QVERIFY(commonPeak(std::vector<HeapLife>{{&brief, {0}, Timestamp{150}}}, {{200}, {400}}).parts.empty());
        QCOMPARE(commonPeak(lives, all()).parts.at(0).bytes, 60);
    }

    void aRowBehindTheEndCountsOnce()
    {
        const HeapSeries late = series({{0, 100, 6, 6}, {100, 200, 7, 7}});
        const CommonPeak peak = commonPeak(std::vector<HeapLife>{{&late, {0}, Timestamp{90}}}, all());
        QCOMPARE(peak.parts.size(), std::size_t{1});
        QCOMPARE(peak.parts[0].bytes, 7);
        QCOMPARE(peak.when, Timestamp{100});
    }

    void moreFoundLiveIsNoRise()
    {
        // Exactly 100 at most; then thinned to samples, by which 130 are live of 90.
        const HeapModeChange begin{{}, {0}, 1, HeapModeCause::Begin};
        const HeapModeChange step{{}, {150}, 64, HeapModeCause::User, 90, 1, 130, 1, 5};
        const std::vector<HeapModeChange> changes{begin, step};
        const auto peakOf = [&](const std::vector<Row> &rows, TimeRange window) {
            const HeapSeries plain = series(rows);
            const auto comparable = withoutJumps(plain, changes, window);
            return commonPeak(std::vector<HeapLife>{{comparable ? &*comparable : &plain, {0}, {}}}, window).parts.at(0);
        };
        const std::vector<Row> rows{{0, 100, 100, 90}, {100, 200, 130, 130}, {200, 300, 138, 130}};
        QCOMPARE(peakOf(rows, all()).row, std::size_t{0});
        QCOMPARE(peakOf(rows, all()).bytes, 100);
        QCOMPARE(peakOf(rows, {{200}, {300}}).bytes, 138); // all of it by samples
        std::vector<Row> grown = rows;
        grown.push_back({300, 400, 160, 160});
        QCOMPARE(peakOf(grown, all()).bytes, 160);
        QVERIFY(!withoutJumps(series(rows), std::span(changes).first(1), all()));
    }

private:
    struct Row
    {
        std::int64_t begin, end, most, live;
    };
    static HeapSeries series(const std::vector<Row> &rows)
    {
        HeapSeries series;
        for (const Row &row : rows) {
            series.spans.push_back({{row.begin}, {row.end}});
            series.ticks.push_back({.liveBytes = row.live, .mostLiveBytes = row.most});
        }
        return series;
    }
    static TimeRange all() { return {{0}, {1000}}; }
};

QTEST_APPLESS_MAIN(CommonPeakTest)
#include "common_peak_test.moc"
