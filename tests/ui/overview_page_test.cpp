// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/dialogs/save_export.h"
#include "ui/pages/forecast_page.h"
#include "ui/pages/overview_page.h"
#include "ui/widgets/summary_card_view.h"

#include <QComboBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <sstream>

using namespace Qt::StringLiterals;

namespace {

/// Three ticks of a second, whose resident memory was read page by page.
std::shared_ptr<const model::Snapshot> measured()
{
    tests::SnapshotBuilder builder;
    builder.ticks(3, model::Duration::fromSeconds(1))
        .metric(model::Metric::Rss, {1000, 1000, 1000})
        .metric(model::Metric::CpuUser, {24577, 1000, 0})
        .metric(model::Metric::CpuSystem, {1000, 2000, 0});
    model::MemoryPartsSeries parts{builder.process(), {}, {}};
    for (std::int64_t i = 1; i <= 3; ++i) {
        parts.times.push_back({i * 1'000'000'000});
        parts.values.push_back({builder.process(), 400, 100, 50, 200, 100, 50, 100, true});
    }
    builder.raw().memoryParts.push_back(parts);
    return std::make_shared<const model::Snapshot>(builder.build());
}

QStringList tableOf(ui::Page &page, const QString &name)
{
    std::ostringstream out;
    for (const ui::Export &what : page.exports())
        if (what.name == name && what.table)
            what.table(out);
    return QString::fromStdString(out.str()).split(u"\n"_s);
}

} // namespace

class OverviewPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tablesOfChartsNameEachPartAndItsUnit()
    {
        ui::Selection selection;
        ui::OverviewPage page(selection);
        page.resize(800, 500);
        page.setSnapshot(measured());
        QVERIFY(QTest::qWaitFor([&] { return !page.isBusy(); }, 20000));
        QCOMPARE(tableOf(page, u"overview-memory"_s).front(),
            u"time_s,time,allocator_bytes,mapping_bytes,stack_bytes,shared_bytes,file_bytes,tracer_bytes,unknown_bytes"_s);
        const QStringList cpu = tableOf(page, u"overview-cpu"_s);
        QCOMPARE(cpu.front(), u"time_s,time,cpu_user_percent,cpu_system_percent"_s);
        QVERIFY2(cpu[1].endsWith(u",24.577,1"_s), qPrintable(cpu[1]));
    }

    /// As in the timeline above; its table has what was read.
    void levelsAreDrawnUntilTheEndOfTheProcess()
    {
        tests::SnapshotBuilder builder;
        builder.ticks(3, model::Duration::fromSeconds(1))
            .metric(model::Metric::Anonymous, {1000, 1000})
            .metric(model::Metric::Threads, {1, 2})
            .metric(model::Metric::CpuUser, {1000, 1000});
        ui::Selection selection;
        ui::OverviewPage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        const auto until = [&page](const QString &name) {
            for (const auto *chart : page.findChildren<ui::TimeSeriesChart *>())
                if (chart->accessibleName() == name && !chart->content().lines.empty())
                    return chart->content().lines.front().drawnUntil.value_or(model::Timestamp{}).ns;
            return std::int64_t{-1};
        };
        QCOMPARE(until(u"Memory of the process by kind over time"_s), std::int64_t{3'000'000'000});
        QCOMPARE(until(u"Threads over time"_s), std::int64_t{3'000'000'000});
        QCOMPARE(until(u"CPU over time"_s), std::int64_t{0});     // a rate is of the time in which it was read
        QCOMPARE(tableOf(page, u"overview-threads"_s).size(), 4); // heading, two ticks, and nothing behind them
    }

    void whatIsSaidOfThePeakLeadsToThePeak()
    {
        ui::Selection selection;
        ui::OverviewPage page(selection);
        page.setSnapshot(measured());
        QVERIFY(QTest::qWaitFor([&] { return !page.isBusy(); }, 20000));
        QSignalSpy wanted(&page, &ui::Page::pageWanted);
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->accessibleName() == u"Memory: Show the heap"_s)
                button->click();
        QCOMPARE(wanted.count(), 1);
        QVERIFY(wanted.first().at(1).value<std::optional<model::CostKind>>() == model::CostKind::Peak);
    }

    void aForecastOpensAtTheQuantityOfItsCard()
    {
        ui::SummaryCardView card;
        model::SummaryCard content{.title = "Forecast", .page = model::CardPage::Forecast, .action = "Show it"};
        content.spark = model::TimeSeries{};
        content.spark->source = model::Metric::Threads;
        card.setCard(content, {});
        tests::SnapshotBuilder builder;
        builder.ticks(3, model::Duration::fromSeconds(1))
            .metric(model::Metric::Rss, {1000, 1000, 1000})
            .metric(model::Metric::Threads, {1, 2, 3});
        ui::Selection selection;
        ui::ForecastPage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(page.findChild<QComboBox *>()->currentText(), u"Resident memory"_s);
        connect(&card, &ui::SummaryCardView::forecastWanted, &page, &ui::ForecastPage::showQuantity);
        card.findChild<QPushButton *>()->click();
        QCOMPARE(page.findChild<QComboBox *>()->currentText(), u"Threads"_s);
    }
};

QTEST_MAIN(OverviewPageTest)
#include "overview_page_test.moc"
