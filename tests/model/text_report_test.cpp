// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heap_modes.h"
#include "model/report/growth_report.h"
#include "model/report/hot_report.h"
#include "model/report/html_report.h"
#include "model/report/session_words.h"
#include "model/report/text_report.h"
#include "model/report/text_table.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

namespace {

template <typename Write> std::string written(Write write)
{
    std::ostringstream out;
    write(out);
    return out.str();
}

std::vector<std::string> linesOf(const std::string &text)
{
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

} // namespace

class TextReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsInstancesOfATemplateApart()
    {
        const Snapshot snapshot
            = SnapshotBuilder().cpu("main;spin<100000> 30\nmain;spin<200000> 60\nmain;only<int> 10\n").build();
        for (const std::string &text : {written([&](std::ostream &out) { writeCpuText(out, snapshot); }),
                 written([&](std::ostream &out) { writeHotText(out, snapshot, CostKind::CpuTime); })}) {
            const std::string table = text.substr(0, text.find("Where most of it flows"));
            QVERIFY2(table.find(" spin<100000> ") != std::string::npos, text.c_str());
            QVERIFY2(table.find(" spin<200000> ") != std::string::npos, text.c_str());
            QVERIFY2(table.find(" only<…> ") != std::string::npos, text.c_str());
        }
        const std::string page = written([&](std::ostream &out) { writeSummaryHtml(out, snapshot); });
        QVERIFY(page.find(">spin&lt;200000&gt;<") != std::string::npos);
    }

    void putsTheExitOnTheProgramThatExited()
    {
        SnapshotBuilder builder;
        const Timestamp exec{2'000'000'000}, end{2'500'000'000};
        const ProcessId process
            = builder.tables().addProcess({.pid = 23403, .start = {0}, .end = end, .waitStatus = 9 << 8});
        builder.tables().addImage(
            {.process = process, .commandLine = builder.tables().string("./ex first"), .start = {0}, .end = exec});
        builder.tables().addImage({.process = process,
            .epoch = 1,
            .commandLine = builder.tables().string("./ex second"),
            .start = exec,
            .end = end});
        std::vector<std::string> rows;
        for (const std::string &line : linesOf(written(
                 [&builder](std::ostream &out) { writeSummaryText(out, builder.build(), TextReportOptions()); })))
            if (line.find("./ex ") != std::string::npos)
                rows.push_back(line);
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY2(rows[0].find("then exec") != std::string::npos && rows[0].find("exited") == std::string::npos,
            rows[0].c_str());
        QVERIFY2(rows[1].find("exited with 9") != std::string::npos, rows[1].c_str());
    }

    void keepsWhatProgramsAreCalledOnOneLine()
    {
        QCOMPARE(onOneLine("sh -c '\n\techo\n'"), std::string("sh -c ' echo '"));
        QCOMPARE(onOneLine("\x1b[2J\x7f\xc2\x9bx"), std::string("\\x1b[2J\\x7f\\x9bx"));
        QCOMPARE(onOneLine("grün  –  \xff"), std::string("grün  –  \\xff"));
        QCOMPARE(printable("/tmp/a\nb \xe2\x28 é"), std::string("/tmp/a\\x0ab \\xe2( é"));
        SnapshotBuilder builder;
        Image image;
        image.process = builder.process();
        image.commandLine = builder.tables().string("sh -c '\nsleep 1\n'\x1b[31m");
        builder.tables().addImage(image);
        const Snapshot snapshot = builder.build();
        const std::string text = written([&](std::ostream &out) { writeSummaryText(out, snapshot, {120}); });
        QVERIFY2(text.find("sh -c ' sleep 1 '") != std::string::npos, text.c_str());
        QVERIFY(text.find('\x1b') == std::string::npos);
    }

    /// A process that runs one program after the other has as many heaps.
    void countsProgramsWhereHeapsAreOfTheirEnds()
    {
        SnapshotBuilder builder;
        QCOMPARE(endsText(builder.build()), std::string());
        for (const std::uint16_t epoch : {std::uint16_t{1}, std::uint16_t{2}}) {
            const ImageId image = builder.tables().addImage(
                {.process = builder.process(), .start = {epoch}, .end = Timestamp{epoch + 1}});
            builder.raw().heapSeries.push_back({.image = image});
        }
        QCOMPARE(endsText(builder.build()), std::string(", each of 2 programs at its end"));
        builder.raw().heapSeries.push_back({.image = builder.image()});
        QCOMPARE(endsText(builder.build()), std::string(", 2 of 3 programs at their own end"));
    }

    void namesProcessesByTheirPrograms()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1'000'000, 2'000'000});
        Snapshot snapshot = builder.build();
        const std::string metrics = written([&](std::ostream &out) { writeMetricsText(out, snapshot); });
        QVERIFY2(metrics.find("\napp (100) · running\n") != std::string::npos, metrics.c_str());
        auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
        tables->images.clear();
        snapshot.tables = tables;
        QCOMPARE(processText(snapshot, ProcessId(0u)), std::string("process 100"));
    }

    void showsTheProcessesThatLivedLongest()
    {
        SnapshotBuilder builder;
        const auto add = [&](std::int32_t pid, std::int64_t from, std::int64_t to, int programs) {
            const ProcessId process = builder.tables().addProcess({.pid = pid, .start = {from}, .end = Timestamp{to}});
            for (int i = 0; i < programs; ++i) {
                Image image;
                image.process = process;
                image.start = {from};
                image.commandLine = builder.tables().string("program " + std::to_string(i));
                builder.tables().addImage(image);
            }
        };
        for (int i = 0; i < 90; ++i)
            add(2000 + i, 1'000'000'000, 1'002'000'000, 1);
        add(5000, 1'000'000'000, 9'000'000'000, 7);
        const Snapshot snapshot = builder.build();
        const std::string text = written([&](std::ostream &out) { writeSummaryText(out, snapshot); });
        QVERIFY2(text.find("  5000  ") != std::string::npos, text.c_str());
        QVERIFY2(text.find("… 5 programs in between") != std::string::npos, text.c_str());
        QVERIFY(text.find("program 6") != std::string::npos && text.find("program 3") == std::string::npos);
        const QString more = QStringLiteral("… and 90 more that lived no longer than 100 ms: program (90) (--format");
        QVERIFY2(QString::fromStdString(text).simplified().contains(more), text.c_str());
    }

    /// A build starts a compiler a thousand times, by a fork and an exec each.
    void tellsManyProcessesOfAProgramAsOne()
    {
        SnapshotBuilder builder;
        TableBuilder &tables = builder.tables();
        const auto add = [&](std::int32_t pid, std::int64_t lived) {
            const ProcessId process = tables.addProcess({.pid = pid, .parent = builder.process(), .start = {0}});
            tables.changeProcess(process).end = Timestamp{lived};
            tables.changeProcess(process).waitStatus = 0;
            Image image{.process = process,
                .executable = tables.string("/bin/make"),
                .commandLine = tables.string("make"),
                .heap = HeapState::Inherited};
            tables.addImage(image);
            image.epoch = 1;
            image.start = {137'000};
            image.executable = tables.string("/bin/cc1plus");
            image.commandLine = tables.string("cc1plus " + std::to_string(pid));
            image.heap = HeapState::Full;
            MemoryArea area{.image = tables.addImage(image), .name = tables.string("anonymous")};
            area.total.liveBytes = 1 << 20;
            area.total.peakBytes = 2 << 20;
            builder.raw().areas.push_back(area);
        };
        for (std::int32_t pid = 2000; pid < 2120; ++pid)
            add(pid, (pid - 1999) * 10'000'000);
        const Snapshot snapshot = builder.build();
        const QString text = QString::fromStdString(written([&](std::ostream &out) {
            writeSummaryText(out, snapshot, {120});
        })).simplified();
        QVERIFY2(text.contains(QStringLiteral("120 × 0:00 ≤ 1.2 s exited with 0 full cc1plus 2119")), qPrintable(text));
        QCOMPARE(text.count(QStringLiteral("exited with 0")), 1);
        QVERIFY2(!text.contains(QStringLiteral("then exec")), qPrintable(text));
        QVERIFY2(text.contains(QStringLiteral("mappings: anonymous 120 × cc1plus 120 MiB 0 2 MiB")), qPrintable(text));
        QVERIFY(!text.contains(QStringLiteral("more areas")));
    }

    void saysWhichPartOfTheHeapWasSampled()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 1000\n");
        Image image;
        image.process = builder.process();
        const ImageId id = builder.tables().addImage(image);
        Snapshot snapshot = builder.build();
        snapshot.info.config.heap = HeapMode::Full;
        snapshot.info.duration = {10'000'000'000};
        snapshot.span = {{0}, {10'000'000'000}};
        const auto textOf = [&] {
            const auto oneLine = [](std::string text) {
                std::string line;
                for (const char c : text)
                    if (c != '\n' && (c != ' ' || line.empty() || line.back() != ' '))
                        line += c;
                    else if (!line.empty() && line.back() != ' ')
                        line += ' ';
                return line;
            };
            return oneLine(written([&](std::ostream &out) { writeSummaryText(out, snapshot, {120}); }));
        };
        const auto says = [&](const char *words) { return textOf().find(words) != std::string::npos; };
        snapshot.heapModes = {{id, {0}, 1, HeapModeCause::Begin}, {id, {2'036'000'000}, 65536, HeapModeCause::User}};
        const char *const sampled
            = "The heap was recorded in full until 0:02.036, then one allocation each 64 KiB on average: ";
        QVERIFY2(says(sampled), textOf().c_str());
        snapshot.heapModes.push_back({id, {4'715'000'000}, 1, HeapModeCause::User});
        QVERIFY2(says("64 KiB on average until 0:04.715, then in full: "), textOf().c_str());
        QCOMPARE(isHeapPartlySampled(snapshot), true);
        // The peak at 1 s was counted, before the first sample.
        snapshot.heapSummary = {.allocations = 10'400,
            .frees = 9'300,
            .temporaries = 7,
            .liveBytes = 64,
            .liveBlocks = 1'100,
            .peakBytes = 4096,
            .peakBlocks = 1'200,
            .peakWhen = {1'000'000'000}};
        QVERIFY2(says(" Allocations about 10,400 about"), textOf().c_str());
        QVERIFY2(says(" Frees about 9,300 about"), textOf().c_str());
        QVERIFY2(says(" Live at the end about 1,100 about"), textOf().c_str());
        QVERIFY2(says(" Temporary about 7 "), textOf().c_str());
        QVERIFY2(says(" Peak 1,200 blocks then, 4 KiB"), textOf().c_str());
        snapshot.heapSummary.peakWhen = {3'000'000'000};
        QVERIFY2(says(" Peak about 1,200 blocks then, about 4 KiB"), textOf().c_str());
        snapshot.heapModes = {{id, {0}, 65536, HeapModeCause::Begin}};
        QVERIFY2(says("Of the heap about one allocation each 64 KiB was recorded"), textOf().c_str());
    }

    /// The peak is of bytes: many small blocks may be there later than few great ones.
    void saysOfWhichMomentTheBlocksOfThePeakAre()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 8\nmain;f 8\n");
        Snapshot snapshot = builder.build();
        snapshot.info.config.heap = HeapMode::Full;
        snapshot.heapSummary.peakBytes = 4096;
        snapshot.heapSummary.peakBlocks = 3;
        const auto peakOf = [](const std::string &text) {
            for (const std::string &line : linesOf(text))
                if (line.starts_with("  Peak "))
                    return QString::fromStdString(line).simplified();
            return QString();
        };
        const QString summary
            = peakOf(written([&](std::ostream &out) { writeSummaryText(out, snapshot, TextReportOptions()); }));
        QVERIFY2(summary.startsWith(QStringLiteral("Peak 3 blocks then, 4 KiB at ")), qPrintable(summary));
        const QString heap = peakOf(written([&](std::ostream &out) { writeHeapText(out, snapshot, CostKind::Peak); }));
        QVERIFY2(heap.startsWith(QStringLiteral("Peak 4 KiB 3 blocks then, at ")), qPrintable(heap));
    }

    void tellsGrowthByFunction()
    {
        SnapshotBuilder builder;
        const StackId first = builder.stack("main@a.cpp:1;grow;malloc"),
                      second = builder.stack("main@a.cpp:2;grow;malloc");
        const std::vector<SeriesGrowth> growth{{Metric::Rss, {.sentence = "Resident memory: rises."},
            {{builder.image(), first, 128 << 10, 0.25, 0.97}, {builder.image(), second, 128 << 10, 0.25, 0.91}}}};
        builder.heap("main@a.cpp:1;grow;malloc 1\nmain@a.cpp:2;grow;malloc 1\n");
        Snapshot snapshot = builder.build();
        snapshot.growthTimes = {{800'000'000}, {2'000'000'000}};
        const QString text = QString::fromStdString(written([&](std::ostream &out) {
            writeGrowthText(out, snapshot, growth);
        })).simplified();
        QVERIFY2(text.contains(
                     QStringLiteral("50 % of the 512 KiB since 0:00.800 with grow, 256 KiB (2 stacks, r = 0.91–0.97)")),
            qPrintable(text));
        QCOMPARE(text.count(QStringLiteral("with grow")), 1);
    }

    void cutsNamesWhereThereIsLittleRoom()
    {
        TextTable table({{"function"}, {"note"}, {"bytes", Align::Right}, {"place"}});
        table.row({"Session::attachLargeBuffer", "", "1,024", "session.cpp:214"});
        table.row({"main", "", "8", "main.cpp:3"});
        const auto lines = [&table](std::size_t columns) {
            return linesOf(written([&](std::ostream &out) { table.write(out, columns, 2); }));
        };
        QCOMPARE(lines(80)[1], std::string("  Session::attachLargeBuffer        1,024  session.cpp:214"));
        QCOMPARE(lines(40)[0], std::string("  function               bytes  place"));
        QCOMPARE(lines(40)[1], std::string("  Session::a…argeBuffer  1,024  sess…214"));
        for (const std::size_t columns : {30u, 40u, 50u, 60u})
            for (const std::string &line : lines(columns))
                QVERIFY2(textWidth(line) <= columns, line.c_str());
        SnapshotBuilder builder;
        builder.heap(
            "main@main.cpp:3;a_function_of_a_long_name_that_needs_much_room@place_of_a_long_name_too.cpp:12 64");
        builder.metric(Metric::Rss, {1'000'000, 2'000'000});
        const Snapshot snapshot = builder.build();
        TextReportOptions narrow;
        narrow.columns = 60;
        for (const std::string &report : {written([&](std::ostream &out) { writeSummaryText(out, snapshot, narrow); }),
                 written([&](std::ostream &out) { writeMetricsText(out, snapshot, narrow); }),
                 written([&](std::ostream &out) { writeHeapText(out, snapshot, CostKind::Live, narrow); })})
            for (const std::string &line : linesOf(report))
                QVERIFY2(textWidth(line) <= 60, line.c_str());
    }

    void cutsNamesInTheirMiddle()
    {
        QCOMPARE(elided("short", 20), std::string("short"));
        QCOMPARE(elided("abcdefghijklmnop", 9), std::string("abcd…mnop"));
        QCOMPARE(textWidth("a–b…"), std::size_t(4));
        QCOMPARE(textWidth(elided("äöüäöüäöüäöüäöü", 10)), std::size_t(10));
    }
};

QTEST_APPLESS_MAIN(TextReportTest)
#include "text_report_test.moc"
