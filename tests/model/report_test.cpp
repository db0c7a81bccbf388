// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/merged_heap.h"
#include "model/report/collapsed_stacks.h"
#include "model/report/csv_report.h"
#include "model/report/csv_writer.h"
#include "model/report/json_report.h"
#include "model/report/lost_report.h"
#include "model/report/session_words.h"
#include "model/report/text_report.h"
#include "model/report/text_table.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <sstream>

using namespace model;
using tests::SnapshotBuilder;
using Json = nlohmann::json;

namespace {

template <typename Write> std::string written(Write write)
{
    std::ostringstream out;
    write(out);
    return out.str();
}

std::vector<std::string> linesOf(const std::string &text, const std::string &end)
{
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = text.find(end, at);
        lines.push_back(text.substr(at, next - at));
        at = next == std::string::npos ? text.size() : next + end.size();
    }
    return lines;
}

Snapshot example()
{
    SnapshotBuilder builder;
    builder.heap("main@main.cpp:3;parse@parse.cpp:12;libc.so.6!malloc 64\n"
                 "main@main.cpp:3;parse@parse.cpp:12;libc.so.6!malloc 64 temporary\n"
                 "main@main.cpp:9;libc.so.6!malloc 1000\n");
    builder.cpu("main@main.cpp:3;parse@parse.cpp:14 150\nmain@main.cpp:9 50\n");
    builder.metric(Metric::Rss, {1'000'000, 2'000'000}).metric(Metric::CpuUser, {50'000, 100'000});
    builder.raw().cpuSummary.lost = 2;
    builder.raw().stackQuality = {.distinct = 4, .truncated = 1, .broken = 0};
    builder.raw().losses.push_back({LossKind::SamplesLost, {}, 2, "ring of CPU 1", {{0}, {1'000'000'000}}});
    builder.raw().marks.push_back({{5}, MarkKind::User, "deploy, 2.4.1"});
    const HeapCost cost{.image = builder.image(),
        .stack = builder.stack("main@main.cpp:3;take@pool.cpp:7"),
        .allocations = 3,
        .allocatedBytes = 300,
        .frees = 1,
        .freedBytes = 100,
        .liveBytes = 200,
        .liveBlocks = 2};
    MemoryArea pool{builder.image(), AreaKind::Pool, builder.tables().string("arena"), cost, {cost}};
    pool.total.peakBytes = 250;
    builder.raw().areas.push_back(pool);
    builder.raw().phases.push_back({0, builder.thread(), 0, "load", {1'000'000}, Timestamp{3'000'000}});
    builder.raw().phases.push_back({1, builder.thread(), 1, "parse", {1'500'000}, Timestamp{2'000'000}});
    builder.raw().phases.push_back({2, builder.thread(), 1, "parse", {2'000'000}, Timestamp{2'250'000}});
    MemoryPartsRow parts{builder.process(), 1'200'000, 100'000, 40'000, 500'000, 60'000, 90'000, 10'000, true};
    builder.raw().memoryParts.push_back({builder.process(), {{2'000'000'000}}, {parts}});
    return builder.build();
}

/// Of two scans of one process, the second of which finds and confirms a loss.
Snapshot scanned()
{
    SnapshotBuilder builder;
    MemoryScan scan;
    scan.id = 1;
    scan.image = builder.image();
    builder.raw().scans.push_back(std::make_shared<const MemoryScan>(scan));
    scan.id = 2;
    scan.confirms = 1;
    scan.stopNs = 12'000'000;
    scan.threads = 3;
    scan.interruptedCalls = 1;
    scan.sums[static_cast<std::size_t>(ReachClass::Directly)] = {2, 4096};
    scan.sums[static_cast<std::size_t>(ReachClass::Indirectly)] = {3, 300};
    scan.sums[static_cast<std::size_t>(ReachClass::Possibly)] = {1, 50};
    scan.confirmed = {5, 4396};
    ScannedStack lost{builder.stack("main;parse@parse.cpp:12;malloc"), scan.sums, scan.confirmed, {5, 4396}, {}};
    ScannedStack held{builder.stack("main;serve@serve.cpp:3;malloc"), {}, {}, {}, {9, 90000}};
    // One function that calls at two lines is one row of the table.
    ScannedStack possible{builder.stack("main;keep@keep.cpp:1;malloc"), {}, {}, {}, {}};
    possible.sums[static_cast<std::size_t>(ReachClass::Possibly)] = {1, 1024};
    ScannedStack again = possible;
    again.stack = builder.stack("main;keep@keep.cpp:2;malloc");
    scan.stacks = {lost, held, possible, again};
    scan.paths = {{held.stack, held.retained, "variables of app +0x40", {{held.stack, 4}, {held.stack, 5}}}};
    builder.raw().scans.push_back(std::make_shared<const MemoryScan>(scan));
    return builder.build();
}

} // namespace

class ReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aScanCallsNothingSafeThatMayBeLost()
    {
        const Snapshot snapshot = SnapshotBuilder().build();
        MemoryScan scan;
        scan.minAgeNs = 60'000'000'000;
        scan.sums[static_cast<std::size_t>(ReachClass::Reachable)] = {10, 1000};
        QCOMPARE(scanSentence(snapshot, scan),
            std::string("Pointers lead to all 10 blocks that could be judged: nothing is lost."));
        scan.sums[static_cast<std::size_t>(ReachClass::Possibly)] = {1399, 4096};
        QCOMPARE(scanSentence(snapshot, scan),
            std::string(
                "Pointers lead to all 1,409 blocks that could be judged, but to 4 KiB in 1,399 blocks only into "
                "the middle: possibly lost."));
        // Young ones that pointers lead to are judged: of the others none need be there.
        const std::string cost = scanCostText(scan);
        QVERIFY2(
            cost.find("What looks lost and is younger than 1 min is not judged.") != std::string::npos, cost.c_str());
    }

    void summarisesAsJson()
    {
        const Json json = Json::parse(written([](std::ostream &out) { writeSummaryJson(out, example()); }));
        QCOMPARE(json["command"].get<std::string>(), std::string("app --fast"));
        QCOMPARE(json["pid"].get<int>(), 100);
        QCOMPARE(json["start"].get<std::string>(), std::string("2023-11-14T22:13:20+00:00"));
        QCOMPARE(json["duration_ns"].get<std::int64_t>(), std::int64_t(10'000'000'000));
        QCOMPARE(json["ticks"].get<int>(), 10);
        QCOMPARE(json["state"].get<std::string>(), std::string("complete"));
        const Json &heap = json["heap"];
        QCOMPARE(heap["allocations"].get<int>(), 3);
        QCOMPARE(heap["frees"].get<int>(), 1);
        QCOMPARE(heap["allocated_bytes"].get<int>(), 1128);
        QCOMPARE(heap["live_bytes"].get<int>(), 1064);
        QCOMPARE(heap["live_blocks"].get<int>(), 2);
        QCOMPARE(heap["peak_bytes"].get<int>(), 1064);
        QCOMPARE(heap["temporary"].get<int>(), 1);
        QCOMPARE(json["cpu"]["samples"].get<int>(), 200);
        QCOMPARE(json["cpu"]["lost"].get<int>(), 2);
        QCOMPARE(json["stacks"]["distinct"].get<int>(), 4);
        QCOMPARE(json["stacks"]["truncated"].get<int>(), 1);
        QCOMPARE(json["stacks"]["broken"].get<int>(), 0);
        QCOMPARE(json["losses"]["events_dropped"].get<int>(), 0);
        QCOMPARE(json["losses"]["samples_lost"].get<int>(), 2);
        QCOMPARE(json["losses"].size(), kLossKindCount);
        QCOMPARE(json["processes"][0]["images"][0]["heap_state"].get<std::string>(), std::string("full"));
        QCOMPARE(json["marks"][0]["text"].get<std::string>(), std::string("deploy, 2.4.1"));
    }

    void listsImagesInTheOrderInWhichTheyRan()
    {
        SnapshotBuilder builder;
        TableBuilder &tables = builder.tables();
        Image last;
        last.process = builder.process();
        last.epoch = 2;
        last.executable = last.commandLine = tables.string("/bin/last");
        last.heapNote = tables.string("");
        Image middle = last;
        middle.epoch = 1;
        middle.executable = middle.commandLine = tables.string("/usr/bin/middle");
        tables.addImage(last); // the one that was noticed first
        tables.addImage(middle);
        const Snapshot snapshot = builder.build();
        const auto json = nlohmann::json::parse(written([&](std::ostream &out) { writeSummaryJson(out, snapshot); }));
        QCOMPARE(json["processes"][0]["images"][1]["executable"].get<std::string>(), std::string("/usr/bin/middle"));
        QCOMPARE(json["processes"][0]["images"][2]["executable"].get<std::string>(), std::string("/bin/last"));
        const std::string text = written([&](std::ostream &out) { writeSummaryText(out, snapshot, {}); });
        QVERIFY(text.find("/usr/bin/middle") < text.find("/bin/last"));
    }

    void tellsOfMemoryBesideTheHeap()
    {
        const Json json = Json::parse(written([](std::ostream &out) { writeSummaryJson(out, example()); }));
        const Json &area = json["areas"][0];
        QCOMPARE(area["kind"].get<std::string>(), std::string("pool"));
        QCOMPARE(area["name"].get<std::string>(), std::string("arena"));
        QCOMPARE(area["live_bytes"].get<int>(), 200);
        QCOMPARE(area["peak_bytes"].get<int>(), 250);
        QCOMPARE(json["phases"].size(), std::size_t(2));
        QCOMPARE(json["phases"][1]["name"].get<std::string>(), std::string("parse"));
        QCOMPARE(json["phases"][1]["count"].get<int>(), 2);
        QCOMPARE(json["phases"][1]["time_ns"].get<int>(), 750'000);
        QCOMPARE(json["phases"][1]["longest_ns"].get<int>(), 500'000);
        const Json &memory = json["resident_memory"];
        QCOMPARE(memory["tracer_bytes"].get<int>(), 90'000);
        QCOMPARE(memory["allocator_bytes"].get<int>(), 1'200'000);
        QVERIFY(memory["most_bytes"].get<std::int64_t>() >= memory["resident_bytes"].get<std::int64_t>());
        const std::string text = written([](std::ostream &out) { writeSummaryText(out, example()); });
        QVERIFY(text.find("pool arena") != std::string::npos);
        QVERIFY(text.find("thread stacks") != std::string::npos);
        QVERIFY(text.find("deploy, 2.4.1") != std::string::npos);
        // An area's stacks can be shown as a heap's are.
        const Snapshot pools = areaSnapshot(example(), AreaKind::Pool);
        QCOMPARE(pools.heap.size(), std::size_t(1));
        QCOMPARE(pools.heapSummary.liveBytes, std::int64_t(200));
        const std::string stacks = written([&](std::ostream &out) { writeHeapText(out, pools, CostKind::Live); });
        QVERIFY(stacks.find("pool.cpp:7") != std::string::npos);
        QVERIFY(areaSnapshot(example(), AreaKind::Mapping).heap.empty());
    }

    void keepsIntegersExactInJson()
    {
        SnapshotBuilder builder;
        builder.heap("main;malloc 9007199254740993\n"); // 2^53 + 1
        const std::string text = written([&](std::ostream &out) { writeSummaryJson(out, builder.build()); });
        QVERIFY(text.find("\"live_bytes\": 9007199254740993") != std::string::npos);
    }

    void replacesWhatIsNoUtf8()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.command = {"bad\xff"};
        const Json json = Json::parse(written([&](std::ostream &out) { writeSummaryJson(out, builder.build()); }));
        QCOMPARE(json["arguments"][0].get<std::string>(), std::string("bad\xef\xbf\xbd"));
    }

    void writesHeapStacksAsJson()
    {
        const Json json
            = Json::parse(written([](std::ostream &out) { writeHeapJson(out, example(), CostKind::Allocations); }));
        QCOMPARE(json["stacks"].size(), std::size_t(2));
        const Json &first = json["stacks"][0];
        QCOMPARE(first["allocations"].get<int>(), 2);
        QCOMPARE(first["temporary"].get<int>(), 1);
        const Json leaf = json["nodes"][first["node"].get<std::size_t>()];
        QCOMPARE(json["frames"][leaf[1].get<std::size_t>()]["function"].get<std::string>(), std::string("malloc"));
        const Json parent = json["nodes"][leaf[0].get<std::size_t>()];
        QCOMPARE(json["frames"][parent[1].get<std::size_t>()]["file"].get<std::string>(), std::string("parse.cpp"));
        QCOMPARE(json["frames"][parent[1].get<std::size_t>()]["line"].get<int>(), 12);
        // What the two stacks share is there once, and parents come first.
        QCOMPARE(json["nodes"].size(), std::size_t(5));
        for (std::size_t i = 0; i < json["nodes"].size(); ++i)
            QVERIFY(json["nodes"][i][0].get<int>() < static_cast<int>(i));
        const Json one
            = Json::parse(written([](std::ostream &out) { writeHeapJson(out, example(), CostKind::Live, {1}); }));
        QCOMPARE(one["stacks"].size(), std::size_t(1));
        QCOMPARE(one["stacks"][0]["live_bytes"].get<int>(), 1000);
    }

    void tellsWhatIsLostAndWhoHoldsTheRest()
    {
        const Snapshot snapshot = scanned();
        const std::string text = written([&](std::ostream &out) { writeLostText(out, snapshot); });
        for (const char *said : {"scan 2", "4.29 KiB in 5 blocks are lost, as they were in an earlier scan",
                 "Definitely lost", "parse.cpp:12", "All blocks were known", "stood still for 12 ms (3 threads)",
                 "1 of its waiting calls ended with EINTR", "possibly lost, by function", "variables of app +0x40",
                 "9 × "})
            QVERIFY2(text.find(said) != std::string::npos, (std::string(said) + "\n" + text).c_str());
        QVERIFY2(QString::fromStdString(text).simplified().contains(QStringLiteral("2 KiB 2 keep")), text.c_str());
        for (const std::string &line : linesOf(text, "\n"))
            QVERIFY2(textWidth(line) <= 80, line.c_str());
        const Json json = Json::parse(written([&](std::ostream &out) { writeLostJson(out, snapshot); }));
        QCOMPARE(json["scans"].size(), std::size_t{2});
        QCOMPARE(json["scans"][1]["definitely_lost"]["bytes"].get<int>(), 4096);
        QCOMPARE(json["scans"][1]["stacks"][0]["frames"][1]["function"].get<std::string>(), std::string("parse"));
        QCOMPARE(json["scans"][1]["holders"][0]["way"][1]["blocks"].get<int>(), 5);
        QVERIFY(!json["scans"][0].contains("stacks"));
        const auto csv = linesOf(written([&](std::ostream &out) { writeLostCsv(out, snapshot); }), "\n");
        QCOMPARE(csv.size(), std::size_t{5});
        QCOMPARE(csv[1].substr(0, 8), std::string("2,100,0,"));
        QVERIFY(csv[1].ends_with("main;parse;malloc"));
        const std::string none = written([](std::ostream &out) { writeLostText(out, example()); });
        QVERIFY(none.find("no scan for lost memory") != std::string::npos);
    }

    void writesCpuMetricsAndLossesAsJson()
    {
        const Json cpu = Json::parse(written([](std::ostream &out) { writeCpuJson(out, example()); }));
        QCOMPARE(cpu["functions"][0]["function"].get<std::string>(), std::string("parse"));
        QCOMPARE(cpu["functions"][0]["self_cpu_ns"].get<std::int64_t>(), std::int64_t(750'000'000));
        QCOMPARE(cpu["stacks"][0]["samples"].get<int>(), 150);
        const Json metrics = Json::parse(written([](std::ostream &out) { writeMetricsJson(out, example()); }));
        QCOMPARE(metrics["processes"][0]["metrics"]["rss_bytes"][1].get<int>(), 2'000'000);
        QVERIFY(!metrics["processes"][0]["metrics"].contains("pss_bytes"));
        const Json losses = Json::parse(written([](std::ostream &out) { writeLossesJson(out, example()); }));
        QCOMPARE(losses["where"][0]["detail"].get<std::string>(), std::string("ring of CPU 1"));
    }

    void writesCollapsedStacksRootFirst()
    {
        QCOMPARE(written([](std::ostream &out) { writeCollapsedStacks(out, example(), CostKind::Live); }),
            std::string("main;malloc 1000\nmain;parse;malloc 64\n"));
        QCOMPARE(written([](std::ostream &out) { writeCollapsedStacks(out, example(), CostKind::Temporary); }),
            std::string("main;parse;malloc 1\n"));
    }

    void addsUpCollapsedStacksThatReadAlike()
    {
        SnapshotBuilder builder;
        builder.cpu("main@a.cpp:1;f 2\nmain@a.cpp:2;f 3\n[stack cut off];f 1\n");
        QCOMPARE(written([&](std::ostream &out) { writeCollapsedStacks(out, builder.build(), CostKind::CpuSamples); }),
            std::string("[stack cut off];f 1\nmain;f 5\n"));
    }

    /// As of the heap: what runs at two addresses of a function is one row.
    void addsUpSamplesOfAFunction()
    {
        SnapshotBuilder builder;
        builder.cpu("main@a.cpp:1;f@a.cpp:5 2\nmain@a.cpp:2;g 3\nmain@a.cpp:2;f@a.cpp:6 3\n");
        const Snapshot snapshot = builder.build();
        const auto rows = linesOf(written([&](std::ostream &out) { writeCpuStacksCsv(out, snapshot); }), "\n");
        QCOMPARE(rows.size(), std::size_t{3});
        QVERIFY(rows[1].ends_with(",main;f") && rows[1].find(",5,") != std::string::npos);
        QVERIFY(rows[2].ends_with(",main;g") && rows[2].find(",3,") != std::string::npos);
        const auto first = linesOf(written([&](std::ostream &out) { writeCpuStacksCsv(out, snapshot, {1}); }), "\n");
        QCOMPARE(first.size(), std::size_t{2});
        QCOMPARE(first[1], rows[1]);
    }

    void writesRowsOfOneWidth()
    {
        const Snapshot snapshot = example();
        const Summary answers = *summary(snapshot);
        const CallTree tree = *callTree(snapshot, {CostKind::Live, CostKind::Allocations});
        Recommendations advice;
        advice.items.push_back({.rule = "regex_compiled", .title = "check, again", .advice = "Say \"once\""});
        const std::vector<std::string> tables{
            written([&](std::ostream &out) { writeSummaryCsv(out, snapshot); }),
            written([&](std::ostream &out) { writeMetricsCsv(out, snapshot); }),
            written([&](std::ostream &out) { writeHeapStacksCsv(out, snapshot, CostKind::Live); }),
            written([&](std::ostream &out) { writeCpuStacksCsv(out, snapshot); }),
            written([&](std::ostream &out) { writeFunctionsCsv(out, *functionTable(snapshot, CostKind::CpuTime)); }),
            written([&](std::ostream &out) { writeCallTreeCsv(out, tree); }),
            written([&](std::ostream &out) { writeForecastSummaryCsv(out, snapshot, answers.forecast); }),
            written([&](std::ostream &out) { writeRecommendationsCsv(out, advice); }),
            written([&](std::ostream &out) { writeCardsCsv(out, answers); }),
            written([&](std::ostream &out) { writeLossesCsv(out, snapshot); }),
        };
        for (const std::string &table : tables) {
            QVERIFY(table.ends_with("\n"));
            const std::vector<std::string> rows = linesOf(table, "\n");
            QVERIFY(rows.size() >= 2);
            for (const std::string &row : rows)
                QCOMPARE(fieldCount(row), fieldCount(rows.front()));
        }
    }

    void writesHeapStacksWithAllCosts()
    {
        const std::string csv = written([](std::ostream &out) { writeHeapStacksCsv(out, example(), CostKind::Live); });
        const std::vector<std::string> rows = linesOf(csv, "\n");
        QVERIFY(rows[0].starts_with("pid,program,stack_id,live_bytes,live_blocks,"));
        QVERIFY(rows[1].starts_with("100,app,"));
        QVERIFY(rows[1].ends_with(",main;malloc"));
    }

    /// A build runs a compiler a thousand times, at other addresses each time.
    void mergesHeapStacksOfProcessesThatReadAlike()
    {
        SnapshotBuilder builder;
        builder.heap("main@a.cpp:3;malloc 64\nmain@a.cpp:4;malloc 32\n");
        const ProcessId second = builder.tables().addProcess({.pid = 200});
        Image image = builder.tables().tables().images.front();
        image.process = second;
        HeapCost row = builder.raw().heap.front();
        row.image = builder.tables().addImage(image);
        row.samples = 1;
        row.liveVariance = 9;
        builder.raw().heap.front().liveVariance = 16;
        builder.raw().heap.push_back(row);
        const Snapshot snapshot = builder.build();
        const std::vector<std::string> rows
            = linesOf(written([&](std::ostream &out) { writeHeapStacksCsv(out, snapshot, CostKind::Live); }), "\n");
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY2(rows[1].starts_with(",app,") && rows[1].find(",160,3,") != std::string::npos, rows[1].c_str());
        QVERIFY2(rows[1].ends_with(",2,main;malloc"), rows[1].c_str());
        // JSON tells lines, too.
        const Json json
            = Json::parse(written([&](std::ostream &out) { writeHeapJson(out, snapshot, CostKind::Live); }));
        QCOMPARE(json["stacks"].size(), std::size_t{2});
        const Json &first = json["stacks"][0];
        QCOMPARE(first["live_bytes"].get<int>(), 128);
        QCOMPARE(first["processes"].get<int>(), 2);
        QVERIFY(first["pid"].is_null());
        QCOMPARE(json["stacks"][1]["pid"].get<int>(), 100);
        FunctionIndex index(snapshot.tables);
        const auto merged = heaviestHeap(snapshot, index, StackDetail::Places, CostKind::Live);
        QCOMPARE(merged.front().cost.liveVariance, 25.0);
    }

    void leavesGapsOfLinesEmpty()
    {
        const Snapshot snapshot = example();
        const std::vector<SeriesColumn> lines{seriesColumn(timeSeries(snapshot, Metric::Rss)),
            seriesColumn({CpuQuantity::Used, {{{{5}, 1.5}}}}), seriesColumn({Metric::CpuUser, {}}),
            {"file_bytes", {Metric::Rss, {}}}};
        QCOMPARE(written([&](std::ostream &out) {
            writeSeriesCsv(out, snapshot, lines, {{0}, {1'000'000'000}});
        }),
            std::string("time_s,time,rss_bytes,cpu_percent,cpu_user_percent,file_bytes\n"
                        "5e-09,2023-11-14T22:13:20+00:00,,1.5,,\n"
                        "1,2023-11-14T22:13:21+00:00,1000000,,,\n"));
    }

    void writesNoNumberThatIsNone()
    {
        std::ostringstream out;
        CsvWriter csv(out);
        csv.row(std::numeric_limits<double>::quiet_NaN(), 0.1, std::optional<double>(), -3);
        QCOMPARE(out.str(), std::string(",0.1,,-3\n"));
    }

    void fitsTextIntoEightyColumns()
    {
        const Snapshot snapshot = example();
        const std::vector<std::string> reports{
            written([&](std::ostream &out) { writeSummaryText(out, snapshot); }),
            written([&](std::ostream &out) { writeMetricsText(out, snapshot); }),
            written([&](std::ostream &out) { writeHeapText(out, snapshot, CostKind::Live); }),
            written([&](std::ostream &out) { writeCpuText(out, snapshot); }),
            written([&](std::ostream &out) { writeLossesText(out, snapshot); }),
        };
        for (const std::string &report : reports) {
            QVERIFY(
                report.starts_with("app --fast\npid 100 · 2023-11-14 22:13:20+00:00 · 10 s in 10 ticks · complete\n"));
            QVERIFY(report.find("How far to trust this\n") != std::string::npos);
            QVERIFY(report.find("CPU samples lost: 2") != std::string::npos);
            for (const std::string &line : linesOf(report, "\n"))
                QVERIFY2(textWidth(line) <= 80, line.c_str());
        }
    }

    void saysInWordsHowAHeapWasRecorded()
    {
        using enum HeapState;
        // "off" is what somebody switched off.
        QCOMPARE(heapStateText(Off, HeapMode::Off), std::string_view("off"));
        QCOMPARE(heapStateText(Off, HeapMode::Full), std::string_view("not known"));
        QCOMPARE(heapStateText(Full, HeapMode::Sampled), std::string_view("sampled"));
        QCOMPARE(heapStateText(Inherited, HeapMode::Full), std::string_view("since fork"));
        for (const HeapState state : {Off, Waiting, Full, Dormant, NotTraced, Inherited, Attached})
            QVERIFY(heapStateText(state, HeapMode::Full).find('_') == std::string_view::npos);
    }

    void showsAsManyRowsOfTheSummarysListsAsAreAskedFor()
    {
        SnapshotBuilder builder;
        for (int i = 0; i < 30; ++i)
            builder.raw().marks.push_back({{i}, MarkKind::User, "mark-" + std::to_string(i) + "."});
        const Snapshot snapshot = builder.build();
        const auto shown = [&snapshot](std::size_t rows) {
            TextReportOptions options;
            options.rows = rows;
            return written([&](std::ostream &out) { writeSummaryText(out, snapshot, options); });
        };
        QVERIFY(shown(0).find("mark-19.") != std::string::npos && shown(0).find("mark-20.") == std::string::npos);
        QVERIFY(shown(0).find("… and 10 more marks (--format json lists all)") != std::string::npos);
        QVERIFY(shown(2).find("mark-1.") != std::string::npos && shown(2).find("mark-2.") == std::string::npos);
        QVERIFY(shown(50).find("mark-29.") != std::string::npos && shown(50).find("more marks") == std::string::npos);
    }

    void showsHeapStacksWithTheirPlaces()
    {
        const std::string text = written([](std::ostream &out) { writeHeapText(out, example(), CostKind::Live); });
        QVERIFY(text.find("  1  1000 B  94.0 %  1 block  main\n") != std::string::npos);
        QVERIFY(text.find("main.cpp:9\n") != std::string::npos);
        QVERIFY(text.find("parse.cpp:12\n") != std::string::npos);
    }

    void saysWhereThereIsNothingToReport()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.heap = HeapMode::Off;
        builder.raw().info.config.cpuHz = 0;
        const Snapshot snapshot = builder.build();
        QVERIFY(written([&](std::ostream &out) { writeHeapText(out, snapshot, CostKind::Live); }).find("not recorded")
            != std::string::npos);
        QVERIFY(
            written([&](std::ostream &out) { writeCpuText(out, snapshot); }).find("not recorded") != std::string::npos);
    }

private:
    /// Fields of a row, commas inside quotes not counted.
    static int fieldCount(const std::string &row)
    {
        bool isQuoted = false;
        int count = 1;
        for (const char c : row) {
            isQuoted = c == '"' ? !isQuoted : isQuoted;
            count += c == ',' && !isQuoted ? 1 : 0;
        }
        return count;
    }
};

QTEST_APPLESS_MAIN(ReportTest)
#include "report_test.moc"
