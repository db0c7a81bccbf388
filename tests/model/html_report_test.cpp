// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/summary.h"
#include "model/report/growth_report.h"
#include "model/report/html_report.h"
#include "model/report/html_text.h"
#include "model/report/text_report.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <sstream>

using namespace model;
using tests::SnapshotBuilder;
using Json = nlohmann::json;

namespace {

std::string pageOf(const Snapshot &snapshot)
{
    std::ostringstream out;
    writeSummaryHtml(out, snapshot);
    return out.str();
}

std::string textOf(const Snapshot &snapshot)
{
    std::ostringstream out;
    writeSummaryText(out, snapshot);
    return out.str();
}

/// The data of the flame graph number `index`.
Json flameOf(const std::string &page, std::size_t index)
{
    const std::string begin = "<script type=\"application/json\">";
    std::size_t at = page.find(begin);
    while (index-- > 0)
        at = page.find(begin, at + 1);
    at += begin.size();
    return Json::parse(page.substr(at, page.find("</script>", at) - at));
}

std::size_t countOf(const std::string &page, std::string_view what)
{
    std::size_t count = 0;
    for (std::size_t at = page.find(what); at != std::string::npos; at = page.find(what, at + 1))
        ++count;
    return count;
}

SnapshotBuilder example()
{
    SnapshotBuilder builder;
    builder.heap("main@main.cpp:3;parse@parse.cpp:12;libc.so.6!malloc 64\n"
                 "main@main.cpp:3;parse@parse.cpp:12;libc.so.6!malloc 64 temporary\n"
                 "main@main.cpp:9;libc.so.6!malloc 1000\n");
    builder.cpu("main@main.cpp:3;parse@parse.cpp:14 150\nmain@main.cpp:9 50\n");
    builder.metric(Metric::Rss, {1'000'000, 2'000'000, 3'000'000});
    return builder;
}

} // namespace

class HtmlReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void putsTheVerdictOfAStabilityTestFirst()
    {
        Snapshot snapshot = example().build();
        SoakRecord soak;
        soak.plan = SoakPlan{};
        soak.end = SoakEnd{SoakOutcome::Leaking, false, {}, {}};
        snapshot.soak = std::make_shared<const SoakRecord>(std::move(soak));
        const std::string text = textOf(snapshot);
        QVERIFY(text.find("LEAKING. ") < text.find("\nAnswers"));
        const std::string page = pageOf(snapshot);
        QVERIFY(page.find("LEAKING. ") < page.find("class=\"cards\""));
        QVERIFY(textOf(example().build()).find("Stability") == std::string::npos);
    }

    /// A small address space is used up long before the memory of the machine.
    void tellsOfTheLimitThatIsReachedFirst()
    {
        std::vector<std::int64_t> resident, address;
        for (std::int64_t i = 0; i < 120; ++i) {
            resident.push_back(100'000'000 + i * 1'000'000 + (i % 3) * 1000);
            address.push_back(200'000'000 + i * 1'000'000 + (i % 3) * 1000);
        }
        SnapshotBuilder builder;
        builder.ticks(120, Duration::fromMs(1000));
        builder.metric(Metric::Rss, resident).metric(Metric::VirtualSize, address);
        builder.metric(Metric::SystemAvailable, std::vector<std::int64_t>(120, 64'000'000'000));
        builder.metric(Metric::AddressLimit, std::vector<std::int64_t>(120, 400'000'000));
        const Snapshot snapshot = builder.build();
        const Summary answers = *summary(snapshot);
        const auto card = std::find_if(answers.cards.begin(), answers.cards.end(),
            [](const SummaryCard &each) { return each.title == "Forecast"; });
        QVERIFY(card != answers.cards.end());
        QVERIFY2(card->sentence.find("Virtual size") != std::string::npos, card->sentence.c_str());
        QVERIFY2(card->qualifier.find("limit of the address space") != std::string::npos, card->qualifier.c_str());
        QVERIFY(card->state == CardState::Danger);
    }

    void keepsTheWordsOfGrowthApart()
    {
        const Snapshot snapshot = example().build();
        std::ostringstream out;
        writeGrowthText(out, snapshot, seriesGrowth(snapshot), {});
        QVERIFY2(out.str().find("Not enough data  ") != std::string::npos, out.str().c_str());
    }

    void holdsEverythingInOnePage()
    {
        const std::string page = pageOf(example().build());
        for (const char *part : {"Worth changing", "Over time", "Leaks", "Heap", "CPU", "Processes",
                 "How far to trust this", "<polyline class=\"line memory\"", "parse.cpp:14"})
            QVERIFY2(page.find(part) != std::string::npos, part);
        // Nothing is loaded from anywhere, and scripts can reach nothing.
        QVERIFY(page.find("default-src 'none'") != std::string::npos);
        QCOMPARE(countOf(page, "http:") + countOf(page, "https:") + countOf(page, " src="), std::size_t(0));
        for (const char *tag :
            {"div", "table", "tr", "td", "p", "ul", "li", "ol", "details", "svg", "figure", "script"})
            QCOMPARE(countOf(page, '<' + std::string(tag) + '>') + countOf(page, '<' + std::string(tag) + ' '),
                countOf(page, "</" + std::string(tag) + '>'));
    }

    void drawsTheCallTreeWithItsCosts()
    {
        const std::string page = pageOf(example().build());
        const Json heap = flameOf(page, 0);
        QCOMPARE(heap["kinds"][0]["label"].get<std::string>(), std::string("Live bytes"));
        QCOMPARE(heap["nodes"][0][3].get<int>(), 1064); // the root: everything that is live
        QCOMPARE(heap["hidden"].get<int>(), 0);
        const Json cpu = flameOf(page, 1);
        QCOMPARE(cpu["nodes"][0][3].get<std::int64_t>(), std::int64_t(200) * 5'000'000);
        // Callers first, heaviest first, each child lighter than what holds it.
        QCOMPARE(cpu["nodes"][1][0].get<int>(), 1);
        QCOMPARE(cpu["functions"][cpu["nodes"][2][1].get<std::size_t>()][0].get<std::string>(), std::string("parse"));
        QCOMPARE(cpu["nodes"][2][3].get<std::int64_t>(), std::int64_t(150) * 5'000'000);
    }

    void saysWhatARedactedCopyLacks()
    {
        SnapshotBuilder builder = example();
        QCOMPARE(countOf(pageOf(builder.build()), "Redacted"), std::size_t(0));
        builder.raw().info.redaction = Redaction{1214, false};
        const std::string page = pageOf(builder.build());
        QVERIFY(page.find("Redacted: 1,214 texts were replaced") != std::string::npos);
        QVERIFY(page.find("functions and source files. Numbers") != std::string::npos);
        builder.raw().info.redaction->keepsFunctions = true;
        QVERIFY(pageOf(builder.build()).find("functions and files kept their names") != std::string::npos);
    }

    void leavesOutWhatIsTooLightToSeeAndSaysSo()
    {
        SnapshotBuilder builder;
        builder.cpu("main;heavy 100000\nmain;light 7\n");
        const Json cpu = flameOf(pageOf(builder.build()), 0);
        QCOMPARE(cpu["hidden"].get<int>(), 1);
        QCOMPARE(cpu["nodes"].size(), std::size_t(3));
    }

    void aNameCannotBecomeMarkup()
    {
        const std::string evil = "</script><script>alert(1)</script>&\"'<!--";
        SnapshotBuilder builder;
        builder.cpu("main;a</script><script>alert(1)<!-- 10\n");
        {
            Image image;
            image.process = builder.process();
            image.commandLine = builder.tables().string(evil + "\xff\x01");
            builder.tables().addImage(image);
        }
        builder.raw().info.config.command = {evil, evil};
        builder.raw().info.host = evil;
        builder.raw().info.endReason = evil;
        builder.raw().marks.push_back({{5'000'000}, MarkKind::User, evil});
        builder.metric(Metric::Rss, {1, 2, 3});
        const std::string page = pageOf(builder.build());
        QVERIFY(page.find("alert(1)") != std::string::npos);
        QCOMPARE(countOf(page, "<script>alert"), std::size_t(0));
        QCOMPARE(countOf(page, "<script"), countOf(page, "</script>"));
        QCOMPARE(countOf(page, "<!--"), std::size_t(0));
        QCOMPARE(escapedHtml("a<b>&\"'"), std::string("a&lt;b&gt;&amp;&quot;&#39;"));
        QCOMPARE(escapedHtml("gr\xc3\xbcn \xff\x1b \xc0\xaf \xed\xa0\x80"),
            std::string("gr\xc3\xbcn \ufffd\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd"));
    }

    void tellsManyProcessesOfAProgramAsOne()
    {
        SnapshotBuilder builder;
        TableBuilder &tables = builder.tables();
        for (std::int32_t pid = 2000; pid < 2120; ++pid) {
            const ProcessId process = tables.addProcess({.pid = pid, .parent = builder.process(), .start = {0}});
            tables.changeProcess(process).end = Timestamp{(pid - 1999) * 10'000'000ll};
            tables.changeProcess(process).waitStatus = 0;
            tables.addImage({.process = process,
                .executable = tables.string("/bin/cc1plus"),
                .commandLine = tables.string("cc1plus " + std::to_string(pid)),
                .heap = HeapState::Full});
        }
        const std::string page = pageOf(builder.build());
        QCOMPARE(countOf(page, "exited with 0"), std::size_t(1));
        for (const char *part : {"120 ×", "≤ 1.2 s", "cc1plus 2119", "Many of one program are one row"})
            QVERIFY2(page.find(part) != std::string::npos, part);
    }

    void saysWhatAScanRestsOn()
    {
        SnapshotBuilder builder = example();
        MemoryScan scan;
        scan.image = builder.image();
        scan.proof = ScanProof::LowerBound;
        scan.limits = "The heap was sampled";
        scan.sums[static_cast<std::size_t>(ReachClass::Directly)] = {2, 4096};
        scan.stacks = {{builder.stack("main;parse@parse.cpp:12;malloc"), scan.sums, {}, {}, {}}};
        builder.raw().scans.push_back(std::make_shared<const MemoryScan>(scan));
        MemoryScan other;
        Image image;
        image.process = builder.process();
        other.id = 2;
        other.image = builder.tables().addImage(image);
        other.sums[static_cast<std::size_t>(ReachClass::Unjudged)] = {13, 100};
        builder.raw().scans.push_back(std::make_shared<const MemoryScan>(other));
        const std::string page = pageOf(builder.build());
        for (const char *part : {"4 KiB in 2 blocks are lost", "This is a lower bound", "The heap was sampled",
                 "none of 13 blocks could be judged"})
            QVERIFY2(page.find(part) != std::string::npos, part);
    }

    void isCalmAboutAnEmptySession()
    {
        const std::string page = pageOf(SnapshotBuilder().build());
        QVERIFY(page.ends_with("</body></html>\n"));
    }
};

QTEST_APPLESS_MAIN(HtmlReportTest)
#include "html_report_test.moc"
