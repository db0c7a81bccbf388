// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/coverage.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/leak_detector.h"
#include "model/analysis/summary.h"
#include "model/analysis/verdict_lines.h"
#include "model/report/forecast_report.h"
#include "model/report/growth_report.h"
#include "model/report/json_report.h"
#include "model/report/text_report.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <sstream>
#include <vector>

using namespace model;
using tests::SnapshotBuilder;

namespace {

SummaryCard cardOf(const Snapshot &snapshot, std::string_view title)
{
    const Summary answers = *summary(snapshot);
    const auto card = std::find_if(
        answers.cards.begin(), answers.cards.end(), [title](const SummaryCard &each) { return each.title == title; });
    return card == answers.cards.end() ? SummaryCard() : *card;
}

const Recommendation *find(const Recommendations &all, std::string_view rule)
{
    const auto found = std::find_if(
        all.items.begin(), all.items.end(), [rule](const Recommendation &item) { return item.rule == rule; });
    return found == all.items.end() ? nullptr : &*found;
}

bool says(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

/// The answers of the overview where something could not be seen.
class SummaryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysThatAnIdleProgramUsedNoCpu()
    {
        const SummaryCard card = cardOf(SnapshotBuilder().build(), "CPU");
        QCOMPARE(card.number, std::string("no samples"));
        QCOMPARE(card.sentence, std::string("The program used next to no CPU time."));
    }

    void aRecordingWithoutSomeNamesIsWhole()
    {
        SnapshotBuilder builder;
        builder.cpu("main;libz.so.1!+0x80 10\nmain;f 90\n");
        const Snapshot snapshot = builder.build();
        QVERIFY(!coverage(snapshot).items.empty());
        QCOMPARE(cardOf(snapshot, "Capture").number, std::string("whole"));
    }

    void tellsOfNoLossThatAnotherProcessHad()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 64\n");
        builder.tables().changeImage(builder.image()).heap = HeapState::Full;
        const ProcessId other = builder.tables().addProcess({.pid = 101});
        const ImageId image = builder.tables().addImage({.process = other});
        builder.raw().losses = {{LossKind::EventsDropped, image, 5, "", {{0}, {1'000'000'000}}},
            {LossKind::ProcessesMissed, image, 1, "it was too short", {{0}, {1'000'000'000}}}};
        const auto text = [&builder] {
            std::ostringstream out;
            writeSummaryText(out, builder.build(), {.columns = 200});
            return out.str();
        };
        QVERIFY(says(text(), "5 heap events were lost"));
        QVERIFY(says(cardOf(builder.build(), "CPU").sentence, "it was too short"));
        builder.raw().selection.process = other;
        QVERIFY(says(text(), "5 heap events were lost"));
        QVERIFY(says(cardOf(builder.build(), "CPU").sentence, "it was too short"));
        builder.raw().selection.process = builder.process();
        QVERIFY2(!says(text(), "heap events were lost"), text().c_str());
        QVERIFY(!says(cardOf(builder.build(), "CPU").sentence, "it was too short"));
    }

    void growingMemoryIsNotDisplacedByWhatHasNoTrend()
    {
        constexpr int kTicks = 300;
        std::vector<std::int64_t> resident, disk, size;
        std::uint32_t dice = 1;
        std::int64_t used = 500;
        for (int i = 0; i < kTicks; ++i) {
            dice = dice * 1664525u + 1013904223u;
            used += dice >> 31 ? 20 : -20; // to and fro: it may get anywhere, and goes nowhere
            used = std::clamp<std::int64_t>(used, 300, 700);
            resident.push_back((64 << 20) + i * 8192);
            disk.push_back(used << 20);
            size.push_back(std::int64_t{1000} << 20);
        }
        SnapshotBuilder builder;
        builder.ticks(kTicks, Duration::fromSeconds(60))
            .metric(Metric::Rss, resident)
            .metric(Metric::DiskUsed, disk)
            .metric(Metric::DiskSize, size);
        const Snapshot snapshot = builder.build();
        const TimeSeries series = timeSeries(snapshot, Metric::DiskUsed);
        const Forecast ofDisk = *forecast(series, {.limit = ForecastLimit{1000.0 * (1 << 20), "size"}});
        QVERIFY(ofDisk.timeToLimit && ofDisk.timeToLimit->reachedWithinHorizon > 0.05 && !ofDisk.isGrowing);
        const SummaryCard card = cardOf(snapshot, "Forecast");
        QVERIFY2(card.spark->source == SeriesSource(Metric::Rss), card.sentence.c_str());
        QVERIFY2(card.qualifier.starts_with("Resident memory, "), card.qualifier.c_str());
    }

    void doesNotTakeMissedSamplesForIdleness()
    {
        SnapshotBuilder builder;
        builder.raw().losses.push_back({LossKind::SamplesMissed, {}, 60, "", builder.raw().span});
        const SummaryCard none = cardOf(builder.build(), "CPU");
        QVERIFY2(says(none.sentence, "60 samples were due"), none.sentence.c_str());
        QVERIFY2(says(none.sentence, "about 302 ms of CPU time"), none.sentence.c_str());
        builder.cpu("main;work 4");
        const SummaryCard few = cardOf(builder.build(), "CPU");
        QVERIFY2(says(few.sentence, "4 samples (60 CPU samples not taken): "), few.sentence.c_str());
    }

    /// Whose the samples were that short threads ended before is not known: all of one function's, or none.
    void leavesRoomForSamplesThatWereMissed()
    {
        SnapshotBuilder builder;
        builder.cpu("main;a 65\nmain;b 1\n");
        builder.raw().info.config.cpuHz = 199;
        builder.raw().losses.push_back({LossKind::SamplesMissed, builder.image(), 201, {}});
        const Snapshot snapshot = builder.build();
        const std::optional<HotSpots> hot = hotSpots(snapshot, CostKind::CpuTime, 10);
        QCOMPARE(hot->samples.missed, std::int64_t(201));
        const Interval first = hot->functions.at(0).selfShare95, second = hot->functions.at(1).selfShare95;
        QVERIFY(first.low < 0.25 && first.high > 0.99);
        QVERIFY(second.low < 0.01 && second.high > 0.75);
        QCOMPARE(hot->functions.at(1).rank, std::size_t(1));
        const SummaryCard card = cardOf(snapshot, "CPU");
        QVERIFY2(card.number.starts_with("≥ 2"), card.number.c_str());
        QCOMPARE(card.state, CardState::Ok);
        QVERIFY2(says(card.sentence, "201 more samples were due"), card.sentence.c_str());
    }

    void saysWhomAFunctionOfALibraryWorksFor()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.cpuHz = 199;
        builder.cpu(
            "main;price@price.cpp:16;libm.so.6!sin 60\nmain;other@price.cpp:30;libm.so.6!sin 10\nmain;own 20\n");
        const SummaryCard card = cardOf(builder.build(), "CPU");
        QVERIFY2(says(card.sentence, "is spent in sin itself"), card.sentence.c_str());
        QVERIFY2(says(card.sentence, ", above all for price, price.cpp:16."), card.sentence.c_str());
        SnapshotBuilder own;
        own.raw().info.config.cpuHz = 199;
        own.cpu("main;own@own.cpp:3 90\n");
        QVERIFY(!says(cardOf(own.build(), "CPU").sentence, "above all for"));
    }

    /// A function with next to nothing of the time is no headline.
    void saysThatNoFunctionStandsOut()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.cpuHz = 199;
        std::string lines;
        for (int i = 0; i < 40; ++i)
            lines += "main;work;f" + std::to_string(i) + (i == 7 ? " 12\n" : " 10\n");
        builder.cpu(lines);
        const SummaryCard spread = cardOf(builder.build(), "CPU");
        QCOMPARE(spread.number, std::string("spread out"));
        QVERIFY2(says(spread.sentence, "No function stands out: of 2.01 s CPU time the most, 3.0 %")
                && says(spread.sentence, "is spent in f7 itself"),
            spread.sentence.c_str());
        // Nor is one of which all may have been missed.
        SnapshotBuilder thin = builder;
        thin.raw().losses.push_back({LossKind::SamplesMissed, thin.image(), 400, {}});
        const SummaryCard missed = cardOf(thin.build(), "CPU");
        QCOMPARE(missed.number, std::string(kNotKnown));
        QVERIFY2(says(missed.sentence, "400 more samples were due"), missed.sentence.c_str());
        // What the kernel does for the program may be most of it.
        TableBuilder &tables = builder.tables();
        const FrameId frame = tables.frame(tables.module("[kernel]", "", ModuleKind::Kernel), 7, FrameKind::Exact);
        tables.setSymbols(frame, FrameSymbols::State::Resolved, {{tables.string("tcp_sendmsg"), StringId(0u), 0}});
        builder.raw().cpu.push_back({builder.thread(), builder.image(),
            tables.stack(builder.stack("main;writeToClient@networking.c:12;libc.so.6!write"), frame), 402,
            2'010'000'000});
        const SummaryCard kernel = cardOf(builder.build(), "CPU");
        QCOMPARE(kernel.number, std::string("50 %"));
        QVERIFY2(kernel.sentence.starts_with("of 4.02 s CPU time is spent in the kernel, above all for writeToClient, "
                                             "networking.c:12; no function of the program stands out"),
            kernel.sentence.c_str());
        // Below the program's malloc stands the tracer's, which is not who it works for.
        builder.raw().cpu.back().stack = tables.stack(
            builder.stack("main;fill@vg.c:5;libgenesis_heaptracer.so!mallocSeen@interpose.cpp:88;libc.so.6!malloc"),
            frame);
        const SummaryCard mapped = cardOf(builder.build(), "CPU");
        QVERIFY2(says(mapped.sentence, "in the kernel, above all for fill, vg.c:5"), mapped.sentence.c_str());
    }

    void saysWhatTheKernelCountsWhereNothingWasSampled()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(10, 5000)); // 5 %
        const SummaryCard card = cardOf(builder.build(), "CPU");
        QVERIFY2(says(card.sentence, "The kernel counts 500 ms of CPU time, but no sample"), card.sentence.c_str());
    }

    /// What is gained is of a cost that is told.
    void gainsNoMoreThanWhatItCosts()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        builder.raw().info.config.systemCalls = true;
        builder.cpu(
            "main;fill;libc.so.6!malloc 300\nmain;fill;libc.so.6!memcpy 800\nmain;other 500\n"
            "main;check;std::__detail::_Compiler<char>::_M_disjunction() 300\nmain;check;libc.so.6!memcpy 500\n");
        builder.heap("main;fill;libc.so.6!malloc 64 temporary");
        builder.raw().heap.back().allocations = builder.raw().heap.back().temporaries = 100'000;
        // 75 % of its life, and 79 % of its calls and own code: not worth a word, so not worth a gain.
        builder.raw().activities.push_back(
            {builder.thread(), builder.image(), builder.stack("main;save@save.cpp:7;libc.so.6!fsync"),
                Activity::call(*systemCallNumber("fsync")), 3000, 45'000'000'000, 0, 0, 3000, 0});
        const Recommendations all = *recommendations(builder.build());
        for (const std::string_view rule : {"temporary_allocations", "regex_compiled", "synced_writes"})
            QVERIFY2(find(all, rule), rule.data());
        for (const Recommendation &item : all.items) {
            double most = 0;
            for (const Evidence &each : item.evidence)
                if (each.unit == Unit::Percent && each.interval)
                    most = std::max(most, each.interval->high);
            QVERIFY2(item.gain.high * 100 <= most, item.title.c_str());
        }
        const Recommendation &synced = *find(all, "synced_writes");
        QVERIFY2(synced.gain.high <= 0.75, std::to_string(synced.gain.high).c_str());
    }

    /// The heap is not kept by thread, and who does the work is not for one of them to say.
    void findsNothingOfOtherThreadsInOne()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        builder.raw().info.config.waits = true;
        builder.cpu("main;fill;libc.so.6!malloc 150\n");
        builder.heap("main;fill;libc.so.6!malloc 64 temporary");
        builder.raw().heap.back().allocations = builder.raw().heap.back().temporaries = 100'000;
        builder.raw().activities.push_back(
            {builder.thread(), builder.image(), builder.stack("main;pause@pause.cpp:7;libc.so.6!nanosleep"),
                Activity::wait(WaitClass::Sleep), 1000, 40'000'000'000, 0, 0, 1000, 0});
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 90'000)); // others have 98 % of it
        Snapshot snapshot = builder.build();
        QVERIFY(find(*recommendations(snapshot), "temporary_allocations"));
        QVERIFY(find(*recommendations(snapshot), "sleeping_work"));
        snapshot.selection.thread = builder.thread();
        const Recommendations narrowed = *recommendations(snapshot);
        QVERIFY2(
            !find(narrowed, "temporary_allocations") && !find(narrowed, "sleeping_work"), narrowed.sentence.c_str());
        const std::vector<SummaryCard> cards = summary(snapshot)->cards;
        const auto card = std::find_if(
            cards.begin(), cards.end(), [](const SummaryCard &each) { return each.title == "Allocations"; });
        QVERIFY2(card->sentence.starts_with("The heap is not kept by thread"), card->sentence.c_str());
        QCOMPARE(card->state, CardState::Unknown);
    }

    void takesNoUntracedHeapForAnEmptyOne()
    {
        SnapshotBuilder builder;
        Image &image = builder.tables().changeImage(builder.image());
        image.heap = HeapState::NotTraced;
        image.heapNote = builder.tables().string("the program could not map it: no memory. Raise the limit.");
        HeapSeries series{.image = builder.image()};
        std::vector<std::int64_t> rss;
        for (std::int64_t i = 0; i < 60; ++i) {
            series.spans.push_back({{i * 1'000'000'000}, {(i + 1) * 1'000'000'000}});
            series.ticks.emplace_back();
            rss.push_back(10 << 20);
        }
        builder.ticks(60, Duration::fromMs(1000)).metric(Metric::Rss, rss);
        builder.raw().heapSeries.push_back(series);
        const Snapshot snapshot = builder.build();
        const std::string why = "he heap was not recorded: the program could not map it: no memory.";
        QCOMPARE(cardOf(snapshot, "Growth").number, std::string(kNotKnown));
        QCOMPARE(cardOf(snapshot, "Growth").sentence, "T" + why);
        QCOMPARE(cardOf(snapshot, "Memory").sentence, "T" + why);
        QVERIFY(timeSeries(snapshot, HeapQuantity::LiveBytes).isEmpty());
        QCOMPARE(leaksOf(snapshot)->notes, std::vector<std::string>{"T" + why});
        QVERIFY(says(verdictLines(snapshot).front(), "leaks: not known"));
        std::ostringstream growth, forecast, text;
        writeGrowthText(growth, snapshot, seriesGrowth(snapshot), {.columns = 200});
        QVERIFY2(says(growth.str(), "Not known     Live heap: T" + why), growth.str().c_str());
        QVERIFY(!says(growth.str(), "flat at 0"));
        writeForecastsText(forecast, snapshot, {}, {.columns = 200});
        QVERIFY2(says(forecast.str(), "Live heap: not known. T" + why), forecast.str().c_str());
        writeSummaryText(text, snapshot, {.columns = 200});
        QVERIFY2(!says(text.str(), "Live at the end") && !says(text.str(), "0 blocks"), text.str().c_str());
        std::ostringstream json;
        writeSummaryJson(json, snapshot);
        QVERIFY2(says(json.str(), "\"recorded\": false"), json.str().c_str());
        QVERIFY2(says(json.str(), "\"note\": \"T" + why), json.str().c_str());
        // What was traced and allocated nothing is empty.
        builder.tables().changeImage(builder.image()).heap = HeapState::Full;
        const SummaryCard empty = cardOf(builder.build(), "Memory");
        QVERIFY2(says(empty.sentence, "The live heap was 0 B"), empty.sentence.c_str());
    }

    /// What a process held cannot be read any more once it has ended, what it used can: lines beside each other end together.
    void drawsALevelUntilTheEndOfTheProcess()
    {
        constexpr std::int64_t kSecond = 1'000'000'000;
        SnapshotBuilder builder;
        builder.ticks(5, Duration::fromSeconds(1)).metric(Metric::Rss, {10, 11, 12, 13});
        const auto drawn = [&builder] {
            const Snapshot snapshot = builder.build();
            return overWholeTicks(timeSeries(snapshot, Metric::Rss), snapshot);
        };
        QCOMPARE(timeSeries(builder.build(), Metric::Rss).last()->when.ns, 4 * kSecond);
        QCOMPARE(drawn().segments.front().front().when.ns, std::int64_t{0});
        QCOMPARE(drawn().last()->when.ns, 5 * kSecond);
        QCOMPARE(drawn().last()->value, 13.0);
        // Not over a pause, not while more may come, and no longer than that tick.
        builder.raw().gaps.push_back({{{4 * kSecond}, {5 * kSecond}}, GapKind::Paused});
        QCOMPARE(drawn().last()->when.ns, 4 * kSecond);
        builder.raw().gaps.clear();
        builder.raw().info.state = SessionState::Recording;
        QCOMPARE(drawn().last()->when.ns, 4 * kSecond);
        builder.raw().info.state = SessionState::Complete;
        builder.raw().tickEnds.push_back({6 * kSecond});
        QCOMPARE(drawn().last()->when.ns, 4 * kSecond);
    }
};

QTEST_APPLESS_MAIN(SummaryTest)
#include "summary_test.moc"
