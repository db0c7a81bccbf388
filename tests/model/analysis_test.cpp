// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/coverage.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/local_level.h"
#include "model/analysis/random.h"
#include "model/analysis/robust_trend.h"
#include "model/analysis/season.h"
#include "model/analysis/share_interval.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>
#include <numbers>

using namespace model;
using tests::SnapshotBuilder;

namespace {

std::vector<double> counting(std::size_t n)
{
    std::vector<double> times(n);
    for (std::size_t i = 0; i < n; ++i)
        times[i] = static_cast<double>(i);
    return times;
}

/// Noise whose neighbours are correlated by `rho`, standard deviation 1.
std::vector<double> correlatedNoise(std::size_t n, double rho, Random &random)
{
    std::vector<double> noise(n);
    double x = random.normal();
    for (double &value : noise) {
        value = x;
        x = rho * x + std::sqrt(1 - rho * rho) * random.normal();
    }
    return noise;
}

} // namespace

class AnalysisTest : public QObject
{
    Q_OBJECT

private:
    /// Share of series without trend in which one is found at 10 %.
    static double falseTrends(double rho)
    {
        Random random(11);
        const std::vector<double> times = counting(60);
        int found = 0;
        constexpr int kRuns = 200;
        for (int run = 0; run < kRuns; ++run) {
            const RobustTrend trend = robustTrend(times, correlatedNoise(60, rho, random));
            found += trend.slope90.low > 0 || trend.slope90.high < 0 ? 1 : 0;
        }
        return found / static_cast<double>(kRuns);
    }

private Q_SLOTS:
    void findsTheSlopeInSpiteOfOutliers()
    {
        std::vector<double> values;
        for (std::size_t i = 0; i < 50; ++i)
            values.push_back(3 * static_cast<double>(i) + 7 + (i % 10 == 0 ? 1000 : 0));
        const RobustTrend trend = robustTrend(counting(50), values);
        QVERIFY(std::abs(trend.slope - 3) < 0.2);
        QVERIFY(std::abs(trend.level - 7) < 5);
        QVERIFY(trend.slope90.low > 0);
        QVERIFY(trend.pValue < 0.001);
    }

    void doesNotTakeCorrelatedNoiseForATrend()
    {
        QVERIFY(falseTrends(0) < 0.16);
        QVERIFY(falseTrends(0.5) < 0.18);
        QVERIFY(falseTrends(0.8) < 0.2);
    }

    void findsNoTrendInConstantsAndTooFewPoints()
    {
        const RobustTrend flat = robustTrend(counting(20), std::vector<double>(20, 5));
        QCOMPARE(flat.slope, 0.0);
        QCOMPARE(flat.slope90.low, 0.0);
        QCOMPARE(flat.pValue, 1.0);
        const RobustTrend two = robustTrend(counting(2), std::vector<double>{1, 9});
        QCOMPARE(two.slope, 0.0);
    }

    void fitsALineExactly()
    {
        std::vector<double> values;
        for (std::size_t i = 0; i < 100; ++i)
            values.push_back(1e9 + 4096 * static_cast<double>(i));
        const LocalLevelFit fit = fitLocalLevel(values);
        QVERIFY(std::abs(fit.drift - 4096) < 1e-3);
        QVERIFY(std::abs(fit.expected(10) - values.back() - 40960) < 1);
    }

    void tellsWalksFromNoise()
    {
        Random random(3);
        std::vector<double> walk;
        std::vector<double> noise;
        double level = 0;
        for (int i = 0; i < 300; ++i) {
            level += random.normal();
            walk.push_back(level);
            noise.push_back(random.normal());
        }
        QVERIFY(fitLocalLevel(walk).stepRatio >= 1);
        QVERIFY(fitLocalLevel(noise).stepRatio <= 0.01);
    }

    void findsWhereTheSlopeChanged()
    {
        Random random(5);
        std::vector<double> values;
        for (int i = 0; i < 200; ++i)
            values.push_back((i < 120 ? i * 1.0 : 120 + (i - 120) * 4.0) + random.normal());
        const std::size_t change = lastSlopeChange(values);
        QVERIFY(change >= 112 && change <= 128);
        std::vector<double> straight;
        for (int i = 0; i < 200; ++i)
            straight.push_back(i + random.normal());
        QCOMPARE(lastSlopeChange(straight), std::size_t(0));
    }

    void findsACycleOnlyWhereThereIsOne()
    {
        Random random(7);
        std::vector<double> daily;
        std::vector<double> noise;
        for (int i = 0; i < 300; ++i) {
            noise.push_back(i * 0.1 + random.normal());
            daily.push_back(noise.back() + 10 * std::sin(2 * std::numbers::pi * i / 100));
        }
        const std::optional<Season> season = findSeason(daily, 100);
        QVERIFY(season);
        QVERIFY(std::abs(season->at(25) - 10) < 1);
        QVERIFY(!findSeason(noise, 100));
        QVERIFY(!findSeason(std::span(daily).first(140), 100));
    }

    void drawsNumbersWithTheRightMoments()
    {
        Random random(1);
        double sum = 0;
        double squares = 0;
        double chi = 0;
        constexpr int kCount = 20'000;
        for (int i = 0; i < kCount; ++i) {
            const double x = random.normal();
            sum += x;
            squares += x * x;
            chi += random.chiSquare(7);
        }
        QVERIFY(std::abs(sum / kCount) < 0.03);
        QVERIFY(std::abs(squares / kCount - 1) < 0.05);
        QVERIFY(std::abs(chi / kCount - 7) < 0.15);
        QCOMPARE(Random(42).bits(), Random(42).bits());
    }

    void givesSharesAnInterval()
    {
        const Interval half = wilsonInterval(50, 100);
        QVERIFY(std::abs(half.low - 0.404) < 0.001);
        QVERIFY(std::abs(half.high - 0.596) < 0.001);
        QCOMPARE(wilsonInterval(0, 0).high, 1.0);
        QVERIFY(wilsonInterval(0, 50).low == 0 && wilsonInterval(0, 50).high > 0.05);
        QCOMPARE(wilsonInterval(50, 50).high, 1.0);
    }

    void followsTheHotPathToTheDecisionPoint()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .cpu("main;run;parse;a 40\n"
                                           "main;run;parse;b 35\n"
                                           "main;run;draw 20\n"
                                           "main;other 5\n"
                                           "start;idle 900\n")
                                      .build();
        const CallTree tree = *callTree(snapshot, {CostKind::CpuSamples});
        const std::vector<HotPath> paths = hotPaths(tree);
        QCOMPARE(paths.size(), std::size_t(2));
        QCOMPARE(tree.name(paths[0].nodes.back()), std::string("idle"));
        QVERIFY(paths[0].endsInSelf);
        QCOMPARE(tree.name(paths[1].nodes.back()), std::string("a"));
        QCOMPARE(paths[1].nodes.size(), std::size_t(4));
    }

    void tiesHotPathsThatSamplesCannotTellApart()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("m;a 105\nn;b 95\no;c 10\n").build();
        const CallTree tree = *callTree(snapshot, {CostKind::CpuSamples});
        const std::vector<HotPath> paths = hotPaths(tree, 5, {210, 0});
        QCOMPARE(paths.size(), std::size_t(3));
        QVERIFY(paths[0].share95.low < 0.5 && paths[0].share95.high > 0.5);
        QCOMPARE(paths[1].rank, std::size_t(1));
        QCOMPARE(paths[2].rank, std::size_t(3));
        QCOMPARE(hotPaths(tree)[1].rank, std::size_t(2)); // exact
    }

    void stopsTheHotPathWhereItSplitsIntoSmallParts()
    {
        std::string stacks;
        for (int i = 0; i < 25; ++i)
            stacks += "main;f" + std::to_string(i) + " 4\n";
        const auto endsInMain = [](const std::string &lines) {
            const Snapshot snapshot = SnapshotBuilder().cpu(lines).build();
            const CallTree tree = *callTree(snapshot, {CostKind::CpuSamples});
            const std::vector<HotPath> paths = hotPaths(tree);
            return paths.size() == 1 && tree.name(paths[0].nodes.back()) == "main" && !paths[0].endsInSelf;
        };
        QVERIFY(endsInMain(stacks));
        QVERIFY(endsInMain(stacks + "main;g 6\n")); // worth a path, but not in place of the others
    }

    void goesOnIntoEachBranchOfAHotPath()
    {
        const char *const stacks = "start;main;sort;compare 25\nstart;main;sort;swap 15\nstart;main;hash 30\n"
                                   "start;main;draw;line 20\nstart;main;draw;text 2\nstart;main;draw;fill 4\n"
                                   "start;main;log 4\n";
        const Snapshot snapshot = SnapshotBuilder().cpu(stacks).build();
        const CallTree tree = *callTree(snapshot, {CostKind::CpuSamples});
        const std::vector<HotPath> paths = hotPaths(tree);
        std::string ends;
        std::int64_t sum = 0;
        for (const HotPath &path : paths) {
            ends += tree.name(path.nodes.back()) + ' ' + std::to_string(path.fork) + ';';
            sum += path.total;
            QVERIFY(path.endsInSelf);
        }
        QCOMPARE(ends, std::string("hash 0;compare 2;line 2;swap 3;"));
        QCOMPARE(sum, std::int64_t(90));
        QCOMPARE(hotPaths(tree, 2).size(), std::size_t(2));
    }

    void tiesFunctionsThatSamplesCannotTellApart()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("m;a 105\nm;b 95\nm;c 10\n").build();
        const FunctionTable table = *functionTable(snapshot, CostKind::CpuSamples);
        const std::vector<HotFunction> hot = hotFunctions(table, {210, 0});
        QCOMPARE(hot.size(), std::size_t(3));
        QCOMPARE(hot[1].rank, std::size_t(1));
        QCOMPARE(hot[2].rank, std::size_t(3));
        const std::vector<HotFunction> exact = hotFunctions(table, {});
        QCOMPARE(exact[1].rank, std::size_t(2));
    }

    void trustsAWholeRecording()
    {
        const Coverage whole = coverage(SnapshotBuilder().heap("main;malloc 8\n").build());
        QVERIFY(whole.items.empty());
        QCOMPARE(whole.worst(), Trust::Whole);
        QCOMPARE(whole.sentence, std::string("No events lost; 100 % of 1 stack is whole."));
    }

    void saysWhatLossesMean()
    {
        SnapshotBuilder builder;
        builder.heap("main;malloc 8\nmain;malloc -8\n");
        builder.raw().losses.push_back({LossKind::EventsDropped, builder.image(), 3, "", {}});
        const Coverage lossy = coverage(builder.build());
        QCOMPARE(lossy.heap, Trust::Partial);
        QCOMPARE(lossy.cpu, Trust::Whole);
        QVERIFY(lossy.items.front().what.find("Heap events dropped: 3") != std::string::npos);
        QVERIFY(lossy.items.front().effect.find("looks like a leak") != std::string::npos);
    }

    void takesRareLossesForMinor()
    {
        SnapshotBuilder builder;
        builder.cpu("main;f 100000\n");
        builder.raw().losses.push_back({LossKind::SamplesLost, {}, 3, "", {}});
        QCOMPARE(coverage(builder.build()).cpu, Trust::Minor);
    }

    void namesProcessesThatWereNotSampled()
    {
        SnapshotBuilder builder;
        builder.cpu("main;f 1000\n");
        builder.raw().info.cpuMissing = "Not sampled: worker (12): it belongs to another user.";
        const Coverage some = coverage(builder.build());
        QCOMPARE(some.cpu, Trust::Partial);
        QCOMPARE(some.items.front().what, std::string("Not sampled: worker (12): it belongs to another user"));
    }

    void takesAFewMissingSamplesForChance()
    {
        const auto with = [](std::int64_t missed) {
            SnapshotBuilder builder;
            builder.cpu("main;f 100\n");
            builder.raw().losses.push_back({LossKind::SamplesMissed, {}, missed, "", {}});
            return coverage(builder.build()).cpu;
        };
        QCOMPARE(with(20), Trust::Minor); // two standard deviations of 100
        QCOMPARE(with(21), Trust::Partial);
    }

    void saysHowGeneratedCodeGetsNames()
    {
        const auto with = [](std::int64_t unnamed) {
            SnapshotBuilder builder;
            builder.cpu("main;f 80\n");
            TableBuilder &tables = builder.tables();
            const FrameId frame = tables.frame(tables.module("[jit]", "1", ModuleKind::Jit), 0x1000, FrameKind::Exact);
            CpuCost cost = builder.raw().cpu.front();
            cost.stack = tables.stack(TableBuilder::root(StackEnd::ReachedStart), frame);
            cost.samples = unnamed;
            builder.raw().cpu.push_back(cost);
            return coverage(builder.build()).items;
        };
        const auto items = with(20);
        QCOMPARE(items.size(), std::size_t{1});
        QVERIFY2(
            items.front().what.starts_with("20") && items.front().what.find(" % of the samples") != std::string::npos,
            items.front().what.c_str());
        QVERIFY(items.front().effect.find("node --perf-basic-prof") != std::string::npos);
        QVERIFY(with(1).empty());
    }

    void saysHowGeneratedCodeThatAllocatesGetsNames()
    {
        const auto with = [](std::int64_t unnamed, bool hasNamedCaller) {
            SnapshotBuilder builder;
            builder.heap("main;f 80\n");
            builder.raw().info.config.heap = HeapMode::Full;
            TableBuilder &tables = builder.tables();
            const ModuleId module = tables.module("[jit]", "1", ModuleKind::Jit);
            const FrameId named = tables.frame(module, 0x2000, FrameKind::ReturnAddress);
            const SourceLine line{tables.string("JS:f"), tables.string(""), 0};
            tables.setSymbols(named, FrameSymbols::State::Resolved, {line});
            StackId stack = TableBuilder::root(StackEnd::ReachedStart);
            if (hasNamedCaller)
                stack = tables.stack(stack, named);
            stack = tables.stack(stack, tables.frame(module, 0x1000, FrameKind::ReturnAddress));
            HeapCost cost = builder.raw().heap.front();
            const FrameId runtime
                = tables.frame(tables.module("/bin/node", "", ModuleKind::File), 1, FrameKind::ReturnAddress);
            tables.setSymbols(runtime, FrameSymbols::State::Resolved, {line});
            cost.stack = tables.stack(stack, runtime);
            cost.allocations = unnamed;
            builder.raw().heap.front().allocations = 80;
            builder.raw().heap.push_back(cost);
            return coverage(builder.build()).items;
        };
        const auto items = with(20, false);
        QCOMPARE(items.size(), std::size_t{1});
        QVERIFY2(items.front().what.starts_with("20 % of the allocations come through generated code"),
            items.front().what.c_str());
        QVERIFY(items.front().effect.find("node --perf-basic-prof") != std::string::npos);
        QVERIFY(with(20, true).empty());
        QVERIFY(with(1, false).empty());
    }

    void saysOnceWhoseHeapIsNotKnown()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 80\n");
        TableBuilder &tables = builder.tables();
        for (const char *note : {"it lives in a network namespace, from where the recorder cannot be reached",
                 "the program defines malloc itself, so its calls do not reach the tracer"}) {
            Image image{.process = builder.process(),
                .executable = tables.string("/usr/lib/browser/browser"),
                .commandLine = tables.string("browser"),
                .heap = HeapState::NotTraced,
                .heapNote = tables.string(note)};
            tables.addImage(image);
        }
        const Snapshot snapshot = builder.build();
        const std::vector<CoverageItem> items = coverage(snapshot).items;
        const auto said = std::count_if(items.begin(), items.end(),
            [](const CoverageItem &item) { return item.what.starts_with("Heap of /usr/lib/browser/browser (2 proc"); });
        QCOMPARE(said, 1);
        QVERIFY(std::all_of(items.begin(), items.end(),
            [](const CoverageItem &item) { return item.what.find("network") == std::string::npos; }));
        QCOMPARE(heapOwners(snapshot), std::string("of app alone; of browser nothing is known, see below"));
        QVERIFY(heapOwners(SnapshotBuilder().heap("main;f 80\n").build()).empty());
    }

    void saysOnceHowGeneratedCodeGetsNames()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 80\n");
        builder.cpu("main;f 80\n");
        builder.raw().info.config.heap = HeapMode::Full;
        TableBuilder &tables = builder.tables();
        const FrameId unnamed
            = tables.frame(tables.module("[jit]", "1", ModuleKind::Jit), 0x1000, FrameKind::ReturnAddress);
        HeapCost cost = builder.raw().heap.front();
        CpuCost sample = builder.raw().cpu.front();
        cost.stack = sample.stack = tables.stack(TableBuilder::root(StackEnd::ReachedStart), unnamed);
        builder.raw().heap.push_back(cost);
        builder.raw().cpu.push_back(sample);
        const std::vector<CoverageItem> items = coverage(builder.build()).items;
        const auto said = std::count_if(items.begin(), items.end(),
            [](const CoverageItem &item) { return item.effect.find("node --perf-basic-prof") != std::string::npos; });
        QCOMPARE(said, 1);
        const auto item = std::find_if(items.begin(), items.end(),
            [](const CoverageItem &one) { return one.what.find("generated code") != std::string::npos; });
        QVERIFY2(item->what
                == "50 % of the allocations come through and 50 % of the samples are in generated code without names",
            item->what.c_str());
    }

    void saysHowFunctionsWithoutNamesGetSome()
    {
        SnapshotBuilder builder;
        builder.cpu("main;+0x40 6\nmain;libz.so.1!+0x80 10\nmain;f 84\n");
        builder.heap("main;+0x40;libz.so.1!inflateInit;libc.so.6!malloc 8\n"
                     "libstdc++.so.6!+0x90;f;libc.so.6!malloc 8"); // what calls the program's own code says little
        const Coverage found = coverage(builder.build());
        QCOMPARE(found.items.size(), std::size_t{1});
        const std::string &what = found.items.front().what;
        QVERIFY2(what == "Functions of app and libz.so.1 have no names (16 % of the CPU time, 50 % of the allocations)",
            what.c_str());
        QVERIFY2(found.items.front().effect.find("find-dbgsym-packages /usr/bin/app") != std::string::npos,
            found.items.front().effect.c_str());
        // Nothing was lost.
        QCOMPARE(found.worst(), Trust::Whole);
        QVERIFY2(found.sentence.starts_with("No events lost"), found.sentence.c_str());
        QVERIFY(coverage(SnapshotBuilder().cpu("main;+0x40 4\nmain;f 96\n").build()).items.empty());
        SnapshotBuilder own;
        own.cpu("main;f 50\n");
        TableBuilder &tables = own.tables();
        CpuCost cost = own.raw().cpu.front();
        for (const auto &[path, state] : {std::pair("/home/me/server", FrameSymbols::State::NoSymbol),
                 std::pair("/tmp/gone.so", FrameSymbols::State::NoFile)}) {
            const FrameId frame = tables.frame(tables.module(path, "", ModuleKind::File), 0x10, FrameKind::Exact);
            tables.setSymbols(frame, state, {});
            cost.stack = tables.stack(TableBuilder::root(StackEnd::ReachedStart), frame);
            cost.samples = state == FrameSymbols::State::NoFile ? 20 : 30;
            own.raw().cpu.push_back(cost);
        }
        const auto items = coverage(own.build()).items;
        QCOMPARE(items.size(), std::size_t{2});
        QVERIFY2(items[0].what.find("of server have") != std::string::npos, items[0].what.c_str());
        QVERIFY(items[0].effect.find("build with -g") != std::string::npos);
        QVERIFY(items[1].effect.find("could not be read") != std::string::npos);
    }

    /// As the tables beside it: not who calls what uses the time, and not the allocator's wrapper that has a name.
    void countsWithoutNamesWhatTheTablesShow()
    {
        SnapshotBuilder named;
        named.cpu("main;+0x40;libblas.so.3!dgemm_ 90\nmain;f 10\n");
        QVERIFY(coverage(named.build()).items.empty());
        SnapshotBuilder wrapped;
        wrapped.heap("main;+0x40;xmalloc;libc.so.6!malloc 8\nmain;f;libc.so.6!malloc 8\n");
        const auto items = coverage(wrapped.build()).items;
        QCOMPARE(items.size(), std::size_t{1});
        QVERIFY2(items[0].what == "Functions of app have no names (50 % of the allocations)", items[0].what.c_str());
    }

    void namesProgramsWhoseHeapWasNotTraced()
    {
        SnapshotBuilder builder;
        builder.tables().changeImage(builder.image()).heap = HeapState::NotTraced;
        builder.tables().changeImage(builder.image()).heapNote = builder.tables().string("it is linked statically");
        const Coverage result = coverage(builder.build());
        QCOMPARE(result.heap, Trust::Partial);
        QCOMPARE(result.items.front().what, std::string("Heap of /usr/bin/app: it is linked statically"));
    }

    void saysOnceWhyManyProgramsAreNotTraced()
    {
        SnapshotBuilder builder;
        Image image = builder.build().tables->images.front();
        image.heap = HeapState::NotTraced;
        image.heapNote = builder.tables().string("it is linked statically.");
        for (const char *name : {"/bin/echo", "/bin/true", "/bin/echo", "/bin/cat", "/bin/ls"}) {
            image.executable = builder.tables().string(name);
            builder.tables().addImage(image);
        }
        const Coverage result = coverage(builder.build());
        QCOMPARE(result.heap, Trust::Partial);
        QCOMPARE(result.items.size(), std::size_t{1});
        QCOMPARE(result.items.front().what,
            std::string("Heap of /bin/echo, /bin/true, /bin/cat and 1 more (5 processes): it is linked statically"));
    }

    void namesAProgramByItsNumberWhereItsNameIsNotKnown()
    {
        SnapshotBuilder builder;
        Image &image = builder.tables().changeImage(builder.image());
        image.heap = HeapState::NotTraced;
        image.executable = StringId(0u);
        image.heapNote = builder.tables().string("The tracer did not connect.");
        const Coverage result = coverage(builder.build());
        QCOMPARE(result.items.front().what,
            std::string("Heap of a short-lived program (process 100): The tracer did not connect"));
    }
};

QTEST_APPLESS_MAIN(AnalysisTest)
#include "analysis_test.moc"
