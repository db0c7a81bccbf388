// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/coverage.h"
#include "model/kernel_samples.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <set>

using namespace model;
using tests::SnapshotBuilder;

class CoverageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsEventsFromSamplesThatWereLost()
    {
        SnapshotBuilder builder;
        builder.heap("main;malloc 8\n").cpu("main;f 100000\n");
        const auto notice = [&builder] {
            const Snapshot snapshot = builder.build();
            return lossNotice(snapshot, coverage(snapshot));
        };
        QCOMPARE(notice().words, std::string("no events lost"));
        QCOMPARE(notice().trust, Trust::Whole);
        builder.raw().losses.push_back({LossKind::SamplesLost, {}, 3, "", {}});
        QCOMPARE(notice().words, std::string("3 CPU samples lost"));
        QCOMPARE(notice().trust, Trust::Minor); // of 100,000
        builder.raw().losses.push_back({LossKind::EventsDropped, builder.image(), 1, "", {}});
        QCOMPARE(notice().words, std::string("1 heap event lost · 3 CPU samples lost")); // worst first
        QCOMPARE(notice().trust, Trust::Partial);
        QVERIFY(coverage(builder.build()).sentence.starts_with("1 heap event lost; "));
    }

    void warnsOfStacksThatAreCutOff()
    {
        SnapshotBuilder builder;
        builder.heap("main;malloc 8\n");
        builder.raw().stackQuality = {.distinct = 10, .truncated = 5};
        const Coverage cut = coverage(builder.build());
        QCOMPARE(cut.stacks, Trust::Partial);
        QCOMPARE(cut.worst(), Trust::Partial);
        QCOMPARE(lossNotice(builder.build(), cut).words, std::string("no events lost"));
    }

    void countsIncompleteStacks()
    {
        SnapshotBuilder builder;
        builder.cpu("main;f 1\n");
        builder.raw().stackQuality = {.distinct = 100, .truncated = 3, .broken = 9};
        const Coverage result = coverage(builder.build());
        QVERIFY(std::abs(result.wholeStacks - 0.88) < 1e-9);
        QCOMPARE(result.items.front().trust, Trust::Partial);
    }

    void saysWhatIsKnownOfAPause()
    {
        SnapshotBuilder builder;
        builder.raw().gaps = {{{{1'000'000'000}, {2'000'000'000}}, GapKind::Paused}};
        const CoverageItem followed = coverage(builder.build()).items.at(0);
        QCOMPARE(followed.what, std::string("The recording was paused for 1 s"));
        QVERIFY(followed.effect.starts_with("of that time live memory is known"));
        builder.raw().info.config.heap = HeapMode::Off;
        QCOMPARE(coverage(builder.build()).items.at(0).effect, std::string("charts show a gap"));
        builder.raw().gaps[0].kind = GapKind::RecorderStopped;
        QCOMPARE(coverage(builder.build()).items.at(0).what, std::string("Nothing was recorded for 1 s"));
    }

    void takesNoPauseForWhatIsNotSampled()
    {
        SnapshotBuilder builder;
        builder.ticks(6, Duration::fromMs(1000))
            .cpu("main;spin 1194\n")
            .metric(Metric::CpuUser, std::vector<std::int64_t>(6, 100'000));
        for (std::size_t i = 3; i < 6; ++i) { // ticks of a second, and three of a pause after the third
            builder.raw().tickEnds[i].ns += 3'000'000'000;
            builder.raw().metrics[0].times[i].ns += 3'000'000'000;
        }
        builder.raw().span.end.ns += 3'000'000'000;
        const auto saysKernel = [&builder] {
            const std::vector<CoverageItem> items = coverage(builder.build()).items;
            return std::any_of(items.begin(), items.end(),
                [](const CoverageItem &item) { return item.what.starts_with("The kernel counts"); });
        };
        QVERIFY(saysKernel());
        builder.raw().gaps = {{{{3'000'000'000}, {6'000'000'000}}, GapKind::Paused}};
        QVERIFY(!saysKernel());
    }

    /// What a user may not sample is the greater part, and can be allowed.
    void saysWhyTheKernelCountsMore()
    {
        SnapshotBuilder builder;
        builder.ticks(6, Duration::fromMs(1000))
            .cpu("main;spin 300\n")
            .metric(Metric::CpuUser, std::vector<std::int64_t>(6, 100'000));
        SessionInfo &info = builder.raw().info;
        info.cpuEvent = "cpu-clock";
        info.cpuNote = "The kernel's timer drives the samples.";
        const auto why = [&builder] {
            for (const CoverageItem &item : coverage(builder.build()).items)
                if (item.what.starts_with("The kernel counts"))
                    return item.effect;
            return std::string();
        };
        QCOMPARE(why(), std::string("what it costs to go to sleep and to wake up is not sampled"));
        info.cpuNote.append(" ").append(kKernelNotSampled).append(" (kernel.perf_event_paranoid is 2; 1 allows it).");
        QCOMPARE(why(),
            std::string("time spent in the kernel is not sampled (kernel.perf_event_paranoid is 2; 1 allows it)"));
    }

    void countsATimeInTwoGapsOnce()
    {
        SnapshotBuilder builder;
        builder.ticks(6, Duration::fromMs(1000)).metric(Metric::CpuUser, std::vector<std::int64_t>(6, 100'000));
        const std::int64_t all = kernelCpuTimeOfProcesses(builder.build()).ns;
        // Within one tick: a pause, in which the recorder was stopped as well, and a stop within that.
        builder.raw().gaps = {{{{1'000'000'000}, {1'500'000'000}}, GapKind::Paused},
            {{{1'200'000'000}, {1'600'000'000}}, GapKind::RecorderStopped},
            {{{1'300'000'000}, {1'400'000'000}}, GapKind::RecorderStopped}};
        const std::int64_t unwatched = all - kernelCpuTimeOfProcesses(builder.build()).ns;
        QVERIFY2(std::abs(unwatched - 600'000'000) < 1000, std::to_string(unwatched).c_str());
    }

    /// Nobody knows how much came after the last tick: a disk may have been full for hours.
    void takesWhatWasNotClosedForPartial()
    {
        SnapshotBuilder builder;
        builder.raw().info.state = SessionState::Unfinished;
        builder.raw().info.duration = {1'500'000'000};
        const Coverage result = coverage(builder.build());
        QCOMPARE(result.items.front().trust, Trust::Partial);
        QVERIFY2(result.items.front().effect.starts_with("everything up to its last tick, 1.5 s after its begin"),
            result.items.front().effect.c_str());
    }

    /// Who chose that should not look for another cause.
    void saysThatEventsWereToBeDropped()
    {
        SnapshotBuilder builder;
        model::SessionInfo &info = builder.raw().info;
        info.config.heap = HeapMode::Full;
        builder.raw().losses = {{LossKind::EventsDropped, builder.image(), 10, "", {}}};
        const auto effect = [&builder] {
            for (const model::CoverageItem &item : coverage(builder.build()).items)
                if (item.what.starts_with(lossLabel(LossKind::EventsDropped)))
                    return item.effect;
            return std::string();
        };
        QVERIFY2(effect().starts_with("a dropped free"), effect().c_str());
        info.config.whenFull = WhenFull::Drop;
        QVERIFY2(effect().starts_with("the recording was told to drop when rings are full; a dropped free"),
            effect().c_str());
    }

    void saysThatNothingIsStored()
    {
        SnapshotBuilder builder;
        builder.raw().info.state = SessionState::Unfinished;
        builder.raw().info.duration = {};
        const Coverage result = coverage(builder.build());
        QVERIFY2(result.items.front().effect.starts_with("no tick is stored"), result.items.front().effect.c_str());
    }

    void saysFirstWhatCouldNotBeWritten()
    {
        SnapshotBuilder builder;
        model::SessionInfo &info = builder.raw().info;
        info.state = SessionState::Unfinished;
        info.config.cpuHz = 199;
        info.unwritten = model::Unwritten{.from = {12'300'000'000},
            .length = {6'500'000'000},
            .heapEvents = 61'234,
            .cpuSamples = 1,
            .reason = "the disk is full"};
        Coverage result = coverage(builder.build());
        const std::string said
            = "Nothing was written from 0:12.300 on (the disk is full): 6.5 s with 61,234 heap events "
              "and 1 CPU sample are missing";
        QCOMPARE(result.items.front().trust, Trust::Partial);
        QCOMPARE(result.items.front().what, said);
        QVERIFY2(result.sentence.starts_with(said), result.sentence.c_str());
        for (const model::CoverageItem &item : result.items)
            QVERIFY2(item.what.find("without closing") == std::string::npos, item.what.c_str());
        // A recorder that was killed meanwhile did not say how much came later.
        info.unwritten = model::Unwritten{.from = {12'300'000'000}, .reason = "the disk is full"};
        QCOMPARE(coverage(builder.build()).items.front().what,
            std::string("Nothing was written from 0:12.300 on (the disk is full): how much came later is not known"));
        QVERIFY(coverage(builder.build()).items.front().effect.starts_with("everything up to then"));
        info.unwritten->from = {};
        QCOMPARE(coverage(builder.build()).items.front().effect, std::string("nothing of the recording is here"));
        info.unwritten->from = {12'300'000'000};
        info.state = SessionState::Recording;
        QCOMPARE(coverage(builder.build()).items.front().what,
            std::string("Nothing is written since 0:12.300 (the disk is full)"));
    }

    /// They are kept for the whole recording, those of no program for all processes.
    void saysOfASelectionWhichLossesAreOfMore()
    {
        SnapshotBuilder builder;
        builder.cpu("main;f 10\n");
        const ProcessId other = builder.tables().addProcess({.pid = 101});
        const ImageId image = builder.tables().addImage({.process = other});
        const TimeRange second{{0}, {1'000'000'000}};
        builder.raw().losses
            = {{LossKind::SamplesLost, {}, 10, "", second}, {LossKind::EventsDropped, image, 5, "", second},
                {LossKind::StackTableFull, builder.image(), 7, "", second}};
        const auto what = [&builder] {
            std::set<std::string> texts;
            for (const CoverageItem &item : coverage(builder.build()).items)
                texts.insert(item.what);
            return texts;
        };
        const std::string lost = std::string(lossLabel(LossKind::SamplesLost)) + ": 10",
                          dropped = std::string(lossLabel(LossKind::EventsDropped)) + ": 5",
                          full = std::string(lossLabel(LossKind::StackTableFull)) + ": 7",
                          all = " in the whole recording";
        builder.raw().cpuSummary.lost = 10;
        QCOMPARE(lostSamplesText(builder.build()), std::string("10 lost"));
        QCOMPARE(what(), (std::set<std::string>{lost, dropped, full}));
        builder.raw().selection.process = builder.process();
        QCOMPARE(what(), (std::set<std::string>{lost + all, full}));
        QCOMPARE(lostSamplesText(builder.build()), std::string("10 lost by all processes"));
        builder.raw().selection = {.process = other, .thread = builder.thread()};
        QCOMPARE(what(), (std::set<std::string>{lost + all, dropped + all}));
    }

    void weighsIncompleteStacksByWhatTheyCost()
    {
        SnapshotBuilder builder;
        builder.cpu("main;f 80\n[stack cut off];g 20\n").heap("main;f 64\n");
        builder.raw().stackQuality = {.distinct = 100, .truncated = 1, .broken = 0};
        const Coverage result = coverage(builder.build());
        QCOMPARE(result.items.front().trust, Trust::Partial);
        QVERIFY2(result.items.front().what.ends_with("; they hold 20 % of the CPU samples"),
            result.items.front().what.c_str());
        QVERIFY2(result.sentence.ends_with("99 % of 100 stacks are whole, the others hold 20 % of the CPU samples."),
            result.sentence.c_str());
    }
};

QTEST_APPLESS_MAIN(CoverageTest)
#include "coverage_test.moc"
