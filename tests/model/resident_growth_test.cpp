// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/summary.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>

using namespace model;
using tests::SnapshotBuilder;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

bool says(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A program of so many seconds whose mappings fill by 25 MiB in each, beside a heap of 8 MiB; as in real recordings pages are read at each second
/// tick only, and first when something is there.
SnapshotBuilder filling(std::size_t seconds)
{
    SnapshotBuilder builder;
    builder.ticks(seconds, Duration::fromMs(1000));
    builder.growth(
        "main;keep;libc.so.6!malloc", std::vector<std::int64_t>(std::min(seconds, std::size_t{24}), 8 * kMiB));
    std::vector<std::int64_t> rss;
    MemoryPartsSeries parts{builder.process(), {}, {}};
    std::int64_t known = 0;
    for (std::size_t i = 0; i < seconds; ++i) {
        const std::int64_t mapped = 25 * kMiB * static_cast<std::int64_t>(i + 1);
        const bool isMeasured = i % 2 == 1;
        known = isMeasured ? mapped : known;
        rss.push_back(8 * kMiB + mapped);
        parts.times.push_back(builder.raw().tickEnds[i]);
        parts.values.push_back({builder.process(), 8 * kMiB, known, 0, 0, 0, 0, mapped - known, isMeasured});
    }
    builder.metric(Metric::Rss, rss);
    builder.raw().memoryParts.push_back(parts);
    MemoryArea area{.image = builder.image(), .kind = AreaKind::Mapping, .name = builder.tables().string("anonymous")};
    HeapCost cost{.image = builder.image(), .stack = builder.stack("main;commitMemory;libc.so.6!mmap")};
    cost.liveBytes = area.total.liveBytes = 700 * kMiB;
    area.costs.push_back(cost);
    builder.raw().areas.push_back(area);
    builder.raw().info.endReason = "duration reached";
    return builder;
}

/// Three servers that come to have 200 MiB of shared memory each; of `once` bytes is what each page counts once for all of them, at the end.
SnapshotBuilder sharing(std::optional<std::int64_t> once)
{
    constexpr std::size_t kSeconds = 30;
    SnapshotBuilder builder;
    builder.ticks(kSeconds, Duration::fromMs(1000));
    builder.growth("main;keep;libc.so.6!malloc", std::vector<std::int64_t>(24, kMiB));
    builder.raw().info.endReason = "duration reached";
    for (int server = 0; server < 3; ++server) {
        const ProcessId process = builder.tables().addProcess({.pid = 200 + server});
        MetricSeries metrics{process, {}, {}};
        MemoryPartsSeries parts{process, {}, {}};
        for (std::size_t i = 0; i < kSeconds; ++i) {
            const auto number = static_cast<std::int64_t>(i + 1);
            const std::int64_t shared = 200 * kMiB * number / static_cast<std::int64_t>(kSeconds);
            MetricValues values;
            values.set(Metric::Rss, 10 * kMiB + shared);
            if (once)
                values.set(Metric::Pss, 10 * kMiB + *once * number / static_cast<std::int64_t>(3 * kSeconds));
            metrics.times.push_back(builder.raw().tickEnds[i]);
            metrics.values.push_back(values);
            parts.times.push_back(builder.raw().tickEnds[i]);
            parts.values.push_back({process, 10 * kMiB, 0, 0, 0, shared, 0, 0, true});
        }
        builder.raw().metrics.push_back(metrics);
        builder.raw().memoryParts.push_back(parts);
    }
    return builder;
}

SummaryCard cardOf(SnapshotBuilder &builder, std::size_t card) { return summary(builder.build())->cards.at(card); }

} // namespace

/// Memory that grows beside the heap.
class ResidentGrowthTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesWhatGrowsAndWhoMappedIt()
    {
        SnapshotBuilder builder = filling(21);
        const SummaryCard card = cardOf(builder, 0);
        QVERIFY2(says(card.sentence, "Resident memory grows by") && says(card.sentence, "mostly mappings"),
            card.sentence.c_str());
        QVERIFY2(says(card.sentence, "(700 MiB) by commitMemory"), card.sentence.c_str());
        QCOMPARE(card.qualifier, std::string("resident, in mappings"));
        QCOMPARE(card.state, CardState::Warn);
        // The text begins with what the number is of.
        QVERIFY2(
            card.sentence.starts_with("Resident memory") && says(card.sentence, ". No place in the heap was found"),
            card.sentence.c_str());
    }

    /// The page that the sentence names is the one that its button opens; where nobody saw who mapped it, there is nothing to show there.
    void leadsToTheMappingsItSpeaksOf()
    {
        SnapshotBuilder builder = filling(21);
        const SummaryCard card = cardOf(builder, 0);
        QVERIFY2(says(card.sentence, "see by whom under Mappings"), card.sentence.c_str());
        QCOMPARE(card.page, CardPage::Areas);
        QCOMPARE(card.cost, std::optional(CostKind::Allocated));
        builder.raw().areas.clear();
        const SummaryCard unseen = cardOf(builder, 0);
        QVERIFY2(!says(unseen.sentence, "under Mappings"), unseen.sentence.c_str());
        QCOMPARE(unseen.page, CardPage::Forecast);
        QVERIFY(!unseen.cost);
    }

    void looksOnlyAtTheSelectedTime()
    {
        SnapshotBuilder builder = filling(21);
        builder.raw().span = {builder.raw().tickEnds[3], builder.raw().tickEnds[9]}; // 4 to 10 s
        builder.raw().selection.time = builder.raw().span;
        const SummaryCard card = cardOf(builder, 0);
        QCOMPARE(card.number, std::string("+150 MiB"));
        // What comes after it is not in it.
        for (std::size_t i = 10; i < 21; ++i)
            builder.raw().metrics.front().values[i].set(Metric::Rss, 8 * kMiB);
        QCOMPARE(cardOf(builder, 0).sentence, card.sentence);
    }

    void seesItInFewerSecondsThanAForecastNeeds()
    {
        SnapshotBuilder builder = filling(9);
        QCOMPARE(summary(builder.build())->forecast.state, ForecastState::NotEnoughData);
        const SummaryCard card = cardOf(builder, 0);
        QVERIFY2(says(card.sentence, "Resident memory grows by"), card.sentence.c_str());
        // A command that works and ends needs what it needs.
        builder.raw().info.endReason = "command ended";
        builder.raw().info.exitStatus = 0;
        QVERIFY2(says(cardOf(builder, 0).sentence, "ended by itself"), card.sentence.c_str());
        QCOMPARE(cardOf(builder, 0).state, CardState::Unknown);
    }

    void doesNotBlameALittleHeapForMuchMemoryBesideIt()
    {
        SnapshotBuilder builder = filling(24);
        std::vector<std::int64_t> bytes;
        for (std::int64_t i = 1; i <= 24; ++i)
            bytes.push_back(i * kMiB / 10);
        builder.growth("main;little;libc.so.6!malloc", bytes);
        const SummaryCard card = cardOf(builder, 0);
        QVERIFY2(says(card.sentence, "First: little"), card.sentence.c_str());
        QVERIFY2(says(card.sentence, "mostly mappings"), card.sentence.c_str());
        QCOMPARE(card.qualifier, std::string("resident, in mappings"));
    }

    void doesNotAlarmForPagesThatCountAgain()
    {
        SnapshotBuilder builder = sharing(10 * kMiB);
        const SummaryCard growth = cardOf(builder, 0), ahead = cardOf(builder, 1);
        QCOMPARE(growth.number, std::string("nothing found"));
        QVERIFY2(says(growth.sentence, "counted once, it grew by 9.67 MiB"), growth.sentence.c_str());
        QVERIFY2(says(ahead.sentence, "counted once, memory grew by 9.67 MiB"), ahead.sentence.c_str());
        QVERIFY(ahead.state == CardState::Unknown || ahead.state == CardState::Ok);
    }

    void saysWhereSharedPagesWereNotCountedOnce()
    {
        SnapshotBuilder builder = sharing({});
        const SummaryCard growth = cardOf(builder, 0);
        QCOMPARE(growth.state, CardState::Unknown);
        QVERIFY2(says(growth.sentence, "counts for each process"), growth.sentence.c_str());
    }

    void saysSoWhereSharedMemoryReallyGrows()
    {
        SnapshotBuilder builder = sharing(600 * kMiB);
        const SummaryCard growth = cardOf(builder, 0);
        QCOMPARE(growth.qualifier, std::string("resident, in shared"));
        QCOMPARE(growth.state, CardState::Warn);
    }
};

QTEST_APPLESS_MAIN(ResidentGrowthTest)
#include "resident_growth_test.moc"
