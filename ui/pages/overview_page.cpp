// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/overview_page.h"

#include "model/aggregate/memory_parts.h"
#include "model/analysis/known_limits.h"
#include "model/base/format_units.h"
#include "model/report/csv_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/summary_card_view.h"

#include <QGridLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {
constexpr std::size_t kMostCards = 6;
constexpr int kGridColumns = 6; ///< one, two or three cards in a row

SeriesColor partColor(std::string_view key)
{
    if (key == "live_heap_bytes")
        return {std::nullopt, 0};
    if (key == "other_anonymous_bytes")
        return {std::nullopt, 4};
    if (key == "shared_bytes")
        return {std::nullopt, 2};
    if (key == model::kAllocatorPart)
        return {std::nullopt, 4};
    if (key == "mapping_bytes")
        return {std::nullopt, 1};
    if (key == "stack_bytes")
        return {std::nullopt, 3};
    if (key == "tracer_bytes")
        return {std::nullopt, 5};
    if (key == "unknown_bytes")
        return {Token::Line};
    return {Token::InkMuted};
}

} // namespace

OverviewPage::OverviewPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    setUpArea();
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
}

void OverviewPage::setUpArea()
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    auto *area = new QWidget;
    m_column = new QVBoxLayout(area);
    m_column->setContentsMargins(0, 0, 6, 0);
    m_column->setSpacing(16);
    m_cardGrid = new QGridLayout;
    m_cardGrid->setSpacing(16);
    m_column->addLayout(m_cardGrid);
    setUpCards(area); // first: Tab goes through what is shown in the order in which it was made
    m_column->addWidget(newCharts(), 1);
    scroll->setWidget(area);
    outer->addWidget(scroll);
    placeCards();
}

void OverviewPage::setUpCards(QWidget *area)
{
    for (std::size_t i = 0; i < kMostCards; ++i) {
        auto *card = new SummaryCardView(area);
        card->hide();
        connect(card, &SummaryCardView::evidenceWanted, this, &Page::pageWanted);
        connect(card, &SummaryCardView::forecastWanted, this, &OverviewPage::forecastWanted);
        m_cards.push_back(card);
    }
}

QWidget *OverviewPage::newCharts()
{
    auto *charts = new QWidget;
    m_chartGrid = new QGridLayout(charts);
    m_chartGrid->setContentsMargins(0, 0, 0, 0);
    m_chartGrid->setSpacing(16);
    m_memoryCard = new Card(tr("Memory of the process"), charts);
    m_memory = new TimeSeriesChart(m_selection, ChartGestures::Select);
    m_memory->setAccessibleName(tr("Memory of the process by kind over time"));
    m_memoryCard->body()->addWidget(m_memory, 1);
    m_memoryCard->addExport(QStringLiteral("PNG"),
        [this] { return chartExport(m_memory, QStringLiteral("overview-memory"), tr("Memory of the process")); });
    m_memoryCard->addExport(QStringLiteral("CSV"),
        [this] { return tableExport(m_memory, QStringLiteral("overview-memory"), tr("Memory of the process")); });
    m_memoryCard->setShowAll([this] { m_selection.setTime(std::nullopt); });
    const auto addTrend = [&](const QString &name, const QString &title,
                              std::vector<std::pair<model::SeriesSource, SeriesColor>> lines) {
        auto *card = new Card(title, charts); // one that is hidden is in no layout
        auto *chart = new TimeSeriesChart(m_selection, ChartGestures::Select);
        chart->setAccessibleName(tr("%1 over time").arg(title));
        card->body()->addWidget(chart, 1);
        card->addExport(QStringLiteral("PNG"), [=, this] { return chartExport(chart, name, title); });
        card->addExport(QStringLiteral("CSV"), [=, this] { return tableExport(chart, name, title); });
        card->setShowAll([this] { m_selection.setTime(std::nullopt); });
        m_trends.push_back({name, card, chart, std::move(lines)});
    };
    addTrend(QStringLiteral("overview-heap"), tr("Live heap"), {{model::HeapQuantity::LiveBytes, {Token::Memory}}});
    addTrend(QStringLiteral("overview-cpu"), tr("CPU"),
        {{model::Metric::CpuUser, {std::nullopt, 1}}, {model::Metric::CpuSystem, {std::nullopt, 3}}});
    addTrend(QStringLiteral("overview-threads"), tr("Threads"), {{model::Metric::Threads, {Token::Wait}}});
    return charts;
}

void OverviewPage::placeCharts()
{
    const bool isWide = width() >= 1000;
    const int most = static_cast<int>(m_trends.size());
    int columns = 0;
    for (const Trend &trend : m_trends)
        if (!trend.card->isHidden())
            m_chartGrid->addWidget(trend.card, isWide ? 0 : 1, isWide ? ++columns : columns++);
    m_chartGrid->addWidget(m_memoryCard, 0, 0, 1, isWide ? 1 : std::max(columns, 1));
    for (int i = columns + 1; i <= most; ++i)
        m_chartGrid->setColumnStretch(i, 0);
    for (int i = 0; i <= columns; ++i)
        m_chartGrid->setColumnStretch(i, isWide ? (i == 0 ? 9 : 5) : (i < columns ? 1 : 0));
    m_chartGrid->setRowMinimumHeight(0, 224);
    m_chartGrid->setRowMinimumHeight(1, isWide ? 0 : 190);
}

void OverviewPage::placeCards()
{
    const int used = m_summary ? static_cast<int>(std::min(m_summary->cards.size(), m_cards.size())) : 3;
    const int columns = width() < 640 || used == 4 ? 2 : 3; // none of four stands alone
    // Cards of the last row share its whole width.
    for (int i = 0; i < static_cast<int>(m_cards.size()); ++i) {
        const int row = i / columns;
        const int inRow = row == used / columns && used % columns > 0 ? used % columns : columns;
        const int span = kGridColumns / inRow;
        m_cardGrid->addWidget(m_cards[static_cast<std::size_t>(i)], row, i % columns % inRow * span, 1, span);
    }
    for (int column = 0; column < kGridColumns; ++column)
        m_cardGrid->setColumnStretch(column, 1);
}

void OverviewPage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    placeCards();
    placeCharts();
}

QString OverviewPage::subtitle() const { return m_snapshot ? selectionText(*m_snapshot) : QString(); }

void OverviewPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    m_snapshot = std::move(snapshot);
    if (isOther) {
        m_summary.reset();
        // Their places are kept: charts do not jump when the answers come.
        model::SummaryCard waiting;
        waiting.state = model::CardState::Unknown;
        waiting.number = "…";
        for (SummaryCardView *card : m_cards) {
            card->setCard(waiting, {});
            card->setVisible(m_snapshot != nullptr);
        }
        placeCards();
    }
    if (!m_snapshot) {
        m_job.cancel();
        return;
    }
    showCharts();
    Q_EMIT subtitleChanged();
    // While recording a snapshot comes every quarter of a second: let the one that is being worked on end.
    if (m_job.isRunning() && m_summary && m_snapshot->selection == m_selection.current()
        && m_snapshot->info.state == model::SessionState::Recording)
        return;
    m_job.run([shown = m_snapshot](std::stop_token stop) { return model::summary(*shown, stop); },
        [this](model::Summary summary) { showSummary(summary); });
}

void OverviewPage::showSummary(const model::Summary &summary)
{
    m_summary = summary;
    const model::TimeRange whole{{}, model::Timestamp{m_snapshot->info.duration.ns}};
    for (std::size_t i = 0; i < m_cards.size(); ++i) {
        const bool isUsed = i < summary.cards.size();
        if (isUsed)
            m_cards[i]->setCard(summary.cards[i], whole);
        m_cards[i]->setVisible(isUsed);
    }
    placeCards();
}

void OverviewPage::showCharts()
{
    const model::TimeRange whole{{}, model::Timestamp{m_snapshot->info.duration.ns}};
    ChartContent memory = newContent(*m_snapshot, model::Unit::Bytes);
    memory.stacking = Stacking::Areas;
    for (const model::MemoryPart &part : model::memoryParts(*m_snapshot))
        memory.lines.push_back({text(part.label), part.series, partColor(part.key), LineFill::None, part.key,
            model::drawnUntil(part.series, *m_snapshot)});
    if (const auto limit = model::memoryLimit(*m_snapshot, model::Metric::Rss))
        memory.limit = {limit->value, text(limit->name + " " + model::formatBytes(limit->value))};
    // The first values come with the first tick.
    const bool isYoung = m_snapshot->info.state == model::SessionState::Recording
        && m_snapshot->info.duration.ns < m_snapshot->info.config.tick.ns * 2;
    m_memoryCard->setCaption(!memory.lines.empty() ? tr("parts add up to the resident memory")
            : isYoung                              ? tr("waiting for the first values")
                                                   : tr("nothing was read from /proc"));
    m_memory->setContent(memory, whole);
    for (const Trend &trend : m_trends) {
        ChartContent content = newContent(*m_snapshot, model::seriesInfo(trend.lines.front().first).unit);
        for (const auto &[source, color] : trend.lines) {
            model::TimeSeries series = model::timeSeries(*m_snapshot, source);
            const bool isNamed = trend.lines.size() > 1;
            const std::optional<model::Timestamp> until = model::drawnUntil(series, *m_snapshot);
            if (!series.isEmpty())
                content.lines.push_back({isNamed ? shortLabel(source) : QString(), std::move(series), color,
                    isNamed ? LineFill::None : LineFill::Below, {}, until});
        }
        trend.card->setCaption(!content.lines.empty() ? QString() : isYoung ? tr("waiting") : tr("not recorded"));
        trend.chart->setContent(content, whole);
        trend.card->setHidden(content.lines.empty() && !isYoung); // without heap there is no live heap to show
    }
    placeCharts();
}

Export OverviewPage::chartExport(TimeSeriesChart *chart, const QString &name, const QString &label) const
{
    return {name, label, [chart] { return chart->picture(); }, {}};
}

Export OverviewPage::tableExport(const TimeSeriesChart *chart, const QString &name, const QString &label) const
{
    return {name, label, {}, [chart, snapshot = m_snapshot](std::ostream &out) {
                std::vector<model::SeriesColumn> columns;
                for (const ChartLine &line : chart->content().lines) {
                    columns.push_back(model::seriesColumn(line.series));
                    if (!line.key.empty())
                        columns.back().key = line.key;
                }
                model::writeSeriesCsv(out, *snapshot, columns, chart->content().range);
            }};
}

std::vector<Export> OverviewPage::exports()
{
    if (!m_snapshot)
        return {};
    std::vector<Export> all{{QStringLiteral("overview-summary"), tr("Totals"), {},
                                [snapshot = m_snapshot](std::ostream &out) { model::writeSummaryCsv(out, *snapshot); }},
        {QStringLiteral("overview-metrics"), tr("All metrics"), {},
            [snapshot = m_snapshot](std::ostream &out) { model::writeMetricsCsv(out, *snapshot); }},
        chartExport(m_memory, QStringLiteral("overview-memory"), tr("Memory of the process")),
        tableExport(m_memory, QStringLiteral("overview-memory"), tr("Memory of the process"))};
    if (m_summary)
        all.push_back({QStringLiteral("overview-cards"), tr("Answers"), {},
            [summary = *m_summary](std::ostream &out) { model::writeCardsCsv(out, summary); }});
    for (const Trend &trend : m_trends) {
        all.push_back(chartExport(trend.chart, trend.name, trend.card->accessibleName()));
        all.push_back(tableExport(trend.chart, trend.name, trend.card->accessibleName()));
    }
    return all;
}

} // namespace ui
