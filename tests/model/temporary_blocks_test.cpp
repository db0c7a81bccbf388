// SPDX-License-Identifier: GPL-3.0-or-later
// Windows at whose begin blocks are freed that were allocated in the tick before.
#include "model/aggregate/temporary_blocks.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/summary.h"
#include "model/report/html_report.h"
#include "model/report/json_report.h"
#include "model/report/text_report.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <sstream>

using namespace model;

namespace {

/// 40,000 allocations, of which 50,000 were temporary.
Snapshot window()
{
    tests::SnapshotBuilder builder;
    builder.heap("main;render@row.cpp:12;libc.so.6!malloc 32 temporary\n");
    HeapCost &row = builder.raw().heap.front();
    row.allocations = 40'000;
    row.allocatedBytes = 40'000 * 32;
    row.temporaries = row.frees = 50'000;
    row.temporaryBytes = row.freedBytes = 50'000 * 32;
    row.liveBytes = row.liveBlocks = row.peakBytes = row.peakBlocks = 0;
    return builder.build();
}

template <typename Write> std::string written(Write write)
{
    std::ostringstream out;
    write(out);
    return out.str();
}

} // namespace

class TemporaryBlocksTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void areAtMostWhatWasAllocated()
    {
        QCOMPARE(temporariesAmong(10, 3), std::int64_t{3});
        QCOMPARE(temporariesAmong(10, 10), std::int64_t{10});
        QCOMPARE(temporariesAmong(10, 12), std::int64_t{10});
        QCOMPARE(temporariesAmong(0, 1), std::int64_t{0});
    }

    void reportsTellNoShareAboveAll_data()
    {
        QTest::addColumn<QString>("report");
        QTest::addColumn<QString>("said");
        const Snapshot snapshot = window();
        const auto row = [](const char *name, const std::string &report, const char *said) {
            QTest::newRow(name) << QString::fromStdString(report).simplified() << QString::fromUtf8(said);
        };
        row("summary", written([&](std::ostream &out) { writeSummaryText(out, snapshot); }), "Temporary 40,000 100 %");
        row("heap", written([&](std::ostream &out) { writeHeapText(out, snapshot, CostKind::Live); }),
            "Temporary 100 % 40,000 blocks");
        row("page", written([&](std::ostream &out) { writeSummaryHtml(out, snapshot); }), "100 % of them temporary");
    }
    void reportsTellNoShareAboveAll()
    {
        QFETCH(QString, report);
        QFETCH(QString, said);
        QVERIFY2(report.contains(said), qPrintable(report.left(4000)));
        QVERIFY2(!report.contains(QStringLiteral("125 %")), qPrintable(report.left(4000)));
    }

    void theOverviewTellsNoShareAboveAll()
    {
        const Summary answers = *summary(window());
        const auto card = std::find_if(answers.cards.begin(), answers.cards.end(),
            [](const SummaryCard &each) { return each.title == "Allocations"; });
        QVERIFY(card != answers.cards.end());
        QCOMPARE(card->number, std::string("100 %"));
    }

    void adviceTellsNoShareAboveAll()
    {
        const Recommendations all = *recommendations(window());
        const auto item = std::find_if(all.items.begin(), all.items.end(),
            [](const Recommendation &each) { return each.rule == "temporary_allocations"; });
        QVERIFY(item != all.items.end());
        QVERIFY2(item->title.find("125") == std::string::npos, item->title.c_str());
        QCOMPARE(item->gain.high, 1.0);
        QCOMPARE(item->evidence[0].value, 40'000.0);
        QCOMPARE(item->evidence[1].text, std::string("100 %"));
        const auto size = std::find_if(item->evidence.begin(), item->evidence.end(),
            [](const Evidence &each) { return each.what == "mean size"; });
        QVERIFY(size != item->evidence.end());
        QCOMPARE(size->value, 32.0); // of all that were counted
    }

    void rawFiguresStayAsTheyWereCounted()
    {
        const std::string json = written([](std::ostream &out) { writeSummaryJson(out, window()); });
        QVERIFY(json.find("50000") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TemporaryBlocksTest)
#include "temporary_blocks_test.moc"
