// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/forecast_page.h"

#include "model/analysis/judged_forecast.h"
#include "model/base/format_interval.h"
#include "model/report/csv_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/labels.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRegularExpression>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

using namespace Qt::StringLiterals;

std::optional<double> parseLimit(const QString &text)
{
    static const QRegularExpression kPattern(
        u"^\\s*([0-9]+(?:\\.[0-9]+)?)\\s*([kmgt]?)(?:i?b)?\\s*%?\\s*$"_s, QRegularExpression::CaseInsensitiveOption);
    const auto match = kPattern.match(text);
    if (!match.hasMatch())
        return std::nullopt;
    double value = match.captured(1).toDouble();
    const qsizetype power = match.captured(2).isEmpty() ? 0 : u"kmgt"_s.indexOf(match.captured(2).toLower()) + 1;
    for (qsizetype i = 0; i < power; ++i)
        value *= 1024;
    return value > 0 ? std::optional(value) : std::nullopt;
}

ForecastPage::ForecastPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(16);
    setUpControls();
    setUpAnswer();
    setUpChart();
    m_empty = new EmptyState;
    column->addWidget(m_empty, 1);
    setEmpty(false);
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
}

void ForecastPage::setUpControls()
{
    auto *line = new QHBoxLayout;
    line->setSpacing(8);
    m_chooser = new QComboBox;
    m_chooser->setAccessibleName(tr("Quantity to forecast"));
    m_chooser->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_chooser->setMinimumWidth(200);
    m_limit = new QLineEdit;
    m_limit->setAccessibleName(tr("Limit"));
    m_limit->setPlaceholderText(tr("the machine's"));
    m_limit->setToolTip(tr("A limit of your own, like 2 GiB; empty: the limit of the control group or the machine"));
    m_limit->setMaximumWidth(140);
    m_limit->setClearButtonEnabled(true);
    m_limitNote = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    auto *quantity = newLabel(tr("Quantity"), TextSize::Body, TextWeight::Normal, "muted");
    auto *limit = newLabel(tr("Limit"), TextSize::Body, TextWeight::Normal, "muted");
    quantity->setBuddy(m_chooser);
    limit->setBuddy(m_limit);
    for (QWidget *widget : std::initializer_list<QWidget *>{quantity, m_chooser})
        line->addWidget(widget);
    line->addSpacing(8);
    for (QWidget *widget : std::initializer_list<QWidget *>{limit, m_limit})
        line->addWidget(widget);
    line->addStretch(1);
    // A sentence of its own below them: beside them it pushed the fields into each other where the page is narrow.
    m_limitNote->setWordWrap(true);
    auto *rows = new QVBoxLayout;
    rows->setSpacing(4);
    rows->addLayout(line);
    rows->addWidget(m_limitNote);
    static_cast<QVBoxLayout *>(layout())->addLayout(rows);
    connect(m_chooser, &QComboBox::activated, this, &ForecastPage::compute);
    connect(m_limit, &QLineEdit::editingFinished, this, &ForecastPage::compute);
    connect(m_limit, &QLineEdit::textChanged, this, [this](const QString &words) {
        if (words.isEmpty())
            compute(); // back to the machine's, by the field's button too
    });
}

void ForecastPage::setUpAnswer()
{
    m_answer = new Card;
    m_verdict = newLabel({}, TextSize::Body, TextWeight::Strong);
    m_verdict->setWordWrap(true);
    m_reason = newLabel({}, TextSize::Body, TextWeight::Normal, "muted");
    m_reason->setWordWrap(true);
    m_answer->body()->setSpacing(4);
    m_answer->body()->addWidget(m_verdict);
    m_answer->body()->addWidget(m_reason);
    layout()->addWidget(m_answer);
}

void ForecastPage::setUpChart()
{
    m_evidence = new QWidget;
    auto *line = new QHBoxLayout(m_evidence);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(16);
    m_chartCard = new Card(tr("History and forecast"));
    m_chart = new TimeSeriesChart(m_selection, ChartGestures::HoverOnly);
    m_chart->setAccessibleName(tr("History and forecast of the chosen quantity"));
    m_chart->setLimitMovable(true);
    connect(m_chart, &TimeSeriesChart::limitDragged, this, &ForecastPage::takeDraggedLimit);
    m_chartCard->body()->addWidget(m_chart, 1);
    const auto exportAt = [this](std::size_t index) {
        const std::vector<Export> all = exports();
        return index < all.size() ? all[index] : Export{};
    };
    m_chartCard->addExport(u"PNG"_s, [exportAt] { return exportAt(0); });
    m_chartCard->addExport(u"CSV"_s, [exportAt] { return exportAt(1); });
    auto *factsCard = new Card(tr("How sure, and why"));
    auto *area = new QWidget;
    m_facts = new QFormLayout(area);
    m_facts->setContentsMargins(0, 0, 0, 0);
    m_facts->setVerticalSpacing(6);
    m_facts->setHorizontalSpacing(12);
    m_facts->setRowWrapPolicy(QFormLayout::WrapLongRows);
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(area);
    factsCard->body()->addWidget(scroll, 1);
    line->addWidget(m_chartCard, 3);
    line->addWidget(factsCard, 1);
    factsCard->setMinimumWidth(304);
    static_cast<QVBoxLayout *>(layout())->addWidget(m_evidence, 1);
}

QString ForecastPage::subtitle() const
{
    return m_snapshot ? tr("from %1").arg(selectionText(*m_snapshot, ByThread::No)) : QString();
}

void ForecastPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    const bool isLive = m_snapshot && snapshot && snapshot->info.state == model::SessionState::Recording;
    const bool isSameView = m_snapshot && snapshot && m_snapshot->selection == snapshot->selection;
    m_snapshot = std::move(snapshot);
    Q_EMIT subtitleChanged();
    if (!m_snapshot) {
        m_job.cancel();
        m_forecast.reset();
        return;
    }
    if (isOther || m_sources.empty()) {
        m_sources.clear();
        m_chooser->clear();
        for (const model::SeriesSource &source : model::seriesSources())
            if (!model::isLimit(source) && !model::timeSeries(*m_snapshot, source).isEmpty()) {
                m_sources.push_back(source);
                m_chooser->addItem(text(model::seriesInfo(source).label));
                if (source == model::SeriesSource(model::Metric::Rss)) // as the overview, which sends people here
                    m_chooser->setCurrentIndex(m_chooser->count() - 1);
            }
    }
    // A new quarter of a second changes no forecast: once every two seconds is enough while recording.
    const bool isFresh = m_forecast
        && m_snapshot->info.duration - (m_forecast->now - model::Timestamp{}) < model::Duration::fromMs(2000);
    if (isLive && isSameView && (m_job.isRunning() || isFresh))
        return;
    compute();
}

std::optional<model::KnownLimit> ForecastPage::limit(const model::SeriesSource &source) const
{
    auto known = model::knownLimit(*m_snapshot, source);
    if (const auto own = parseLimit(m_limit->text()))
        return model::KnownLimit{
            {*own, tr("limit that you set").toStdString()}, known ? known->process : std::optional<model::ProcessId>()};
    return known;
}

void ForecastPage::takeDraggedLimit(double value)
{
    if (!m_forecast)
        return;
    // As one would write it: three digits.
    m_limit->setText(text(model::formatValue(value, model::seriesInfo(m_forecast->source).unit)).remove(u','));
    compute();
}

void ForecastPage::showQuantity(const model::SeriesSource &quantity)
{
    const auto found = std::find(m_sources.begin(), m_sources.end(), quantity);
    if (found == m_sources.end())
        return;
    m_chooser->setCurrentIndex(static_cast<int>(found - m_sources.begin()));
    compute();
}

void ForecastPage::compute()
{
    const int chosen = m_chooser->currentIndex();
    if (!m_snapshot || chosen < 0 || static_cast<std::size_t>(chosen) >= m_sources.size()) {
        m_job.cancel();
        m_limitNote->clear();
        showEmpty(tr("Nothing to forecast yet"), tr("A forecast needs some minutes of recorded metrics."));
        return;
    }
    const model::SeriesSource source = m_sources[static_cast<std::size_t>(chosen)];
    model::ForecastOptions options;
    const std::optional<model::KnownLimit> known = limit(source);
    m_process = known ? known->process : std::nullopt;
    if (known)
        options.limit = known->limit;
    const bool isWrong = !m_limit->text().trimmed().isEmpty() && !parseLimit(m_limit->text());
    m_limitNote->setText(isWrong ? tr("not a number: write it like 2 GiB or 500")
            : options.limit      ? tr("%1, %2").arg(text(options.limit->name),
                       text(model::formatValue(options.limit->value, model::seriesInfo(source).unit)))
                                 : tr("no limit is known for this quantity"));
    setTone(m_limitNote, isWrong ? "danger" : "muted");
    if (m_snapshot->selection.time)
        options.history = m_snapshot->span;
    m_job.run([snapshot = m_snapshot, source, options, process = m_process](
                  std::stop_token stop) { return model::judgedForecast(*snapshot, source, process, options, stop); },
        [this](model::Forecast forecast) { show(forecast); });
}

bool ForecastPage::hasValues(const model::SeriesSource &source) const
{
    const model::TimeSeries series = model::timeSeries(*m_snapshot, source, m_process);
    const model::TimeRange span = m_snapshot->span;
    return std::any_of(series.segments.begin(), series.segments.end(),
        [span](const auto &segment) { return segment.front().when <= span.end && span.begin <= segment.back().when; });
}

void ForecastPage::setEmpty(bool isEmpty)
{
    m_answer->setVisible(!isEmpty);
    m_evidence->setVisible(!isEmpty);
    m_empty->setVisible(isEmpty);
}

/// In place of what was drawn before.
void ForecastPage::showEmpty(const QString &title, const QString &sentence)
{
    m_forecast.reset();
    m_empty->setText(title, sentence);
    setEmpty(true);
}

void ForecastPage::show(const model::Forecast &forecast)
{
    if (!hasValues(forecast.source)) {
        const bool isNarrow = m_snapshot->selection.time || m_snapshot->selection.process;
        showEmpty(tr("Nothing to forecast"),
            tr("There are no values of “%1” in what is selected. %2")
                .arg(text(forecast.label),
                    isNarrow ? tr("Select a longer time or another process, or choose another quantity.")
                             : tr("Choose another quantity.")));
        return;
    }
    setEmpty(false);
    m_forecast = forecast;
    m_shownEnd = m_snapshot->selection.time && forecast.state != model::ForecastState::NotEnoughData
        ? text(model::formatMoment(
            forecast.now, m_snapshot->info.duration, m_snapshot->info.startWallNs, m_snapshot->info.utcOffset))
        : QString();
    // Of a selected time, what is reached "in 3 h" is so from its end on.
    const QString verdict = text(forecast.verdict);
    m_verdict->setText(withWholeNumbers(
        m_shownEnd.isEmpty() ? verdict : tr("As of %1, where the selected time ends: %2").arg(m_shownEnd, verdict)));
    m_reason->setText(text(forecast.reason));
    m_reason->setVisible(!forecast.reason.empty() && forecast.verdict.find(forecast.reason) == std::string::npos);
    showFacts(forecast);
    showChart(forecast);
}

void ForecastPage::addFact(const QString &name, const QString &value)
{
    QLabel *shown = newLabel(withWholeNumbers(value));
    shown->setWordWrap(true);
    shown->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_facts->addRow(newLabel(name, TextSize::Body, TextWeight::Normal, "muted"), shown);
}

void ForecastPage::showFacts(const model::Forecast &forecast)
{
    while (m_facts->rowCount() > 0)
        m_facts->removeRow(0);
    const model::Unit unit = model::seriesInfo(forecast.source).unit;
    // Numbers keep their units in the same line.
    const auto amount
        = [unit](double value) { return text(model::formatValue(value, unit)).replace(u' ', QChar::Nbsp); };
    if (forecast.state == model::ForecastState::NotEnoughData) {
        addFact(tr("Missing"), text(forecast.reason));
        return;
    }
    addFact(m_shownEnd.isEmpty() ? tr("Now, on the trend") : tr("At %1, on the trend").arg(m_shownEnd),
        amount(forecast.level));
    addFact(tr("Trend per hour"),
        tr("%1\n90 %: %2")
            .arg(amount(forecast.trend.slope),
                text(model::formatInterval(forecast.trend.slope90.low, forecast.trend.slope90.high, unit))
                    .replace(u' ', QChar::Nbsp)));
    addFact(tr("Seen"),
        tr("%1 blocks of %2")
            .arg(forecast.blocks)
            .arg(text(model::formatDuration(forecast.block)).replace(u' ', QChar::Nbsp)));
    if (forecast.timeToLimit) {
        const auto span = [](const std::optional<model::Duration> &d) {
            return d ? text(model::formatDuration(*d)) : tr("beyond");
        };
        const auto &low = forecast.timeToLimit->q05, &high = forecast.timeToLimit->q95;
        addFact(tr("Time to the limit"),
            low ? tr("%1\n90 %: %2")
                      .arg(span(forecast.timeToLimit->median),
                          high ? text(model::formatInterval(*low, *high)) : span(low) + tr(" – beyond"))
                : tr("not within %1").arg(text(model::formatDuration(forecast.horizon))));
    }
    for (std::size_t i = 0; i < forecast.reachedWithin.size(); ++i)
        if (forecast.reachedWithin[i])
            addFact(
                tr("Within %1 h").arg(model::kForecastHours[i]), text(model::formatShare(*forecast.reachedWithin[i])));
    if (forecast.season)
        addFact(tr("Cycle"), text(model::formatDuration(*forecast.season)));
    if (forecast.slopeChange)
        addFact(tr("Trend changed"),
            text(model::formatMoment(*forecast.slopeChange, m_snapshot->info.duration, m_snapshot->info.startWallNs,
                m_snapshot->info.utcOffset)));
    QLabel *method = newLabel(text(forecast.method), TextSize::Caption, TextWeight::Normal, "muted");
    method->setWordWrap(true);
    method->setContentsMargins(0, 8, 0, 0);
    m_facts->addRow(method);
}

void ForecastPage::showChart(const model::Forecast &forecast)
{
    const model::SeriesInfo info = model::seriesInfo(forecast.source);
    ChartContent content = newContent(*m_snapshot, info.unit);
    content.lines.push_back(
        {{}, model::timeSeries(*m_snapshot, forecast.source, m_process), {Token::Memory}, LineFill::None});
    content.bands = forecast.band;
    if (forecast.limit)
        content.limit = {forecast.limit->value,
            text(forecast.limit->name + " " + model::formatValue(forecast.limit->value, info.unit))};
    if (!forecast.band.empty()) {
        content.now = forecast.now;
        content.nowLabel = m_shownEnd;
        content.range.end = std::max(content.range.end, forecast.band.back().when);
    }
    if (forecast.timeToLimit && forecast.timeToLimit->median) {
        content.crossing = forecast.now + *forecast.timeToLimit->median;
        content.crossingLabel = (m_shownEnd.isEmpty() ? tr("in %1") : tr("%1 later"))
                                    .arg(text(model::formatDuration(*forecast.timeToLimit->median)));
    }
    m_chartCard->setTitle(text(info.label));
    m_chartCard->setCaption(forecast.band.empty()
            ? tr("history")
            : tr("history, then the median and the bands of 50 % and 90 % · drag the limit"));
    m_chart->setContent(content, content.range);
}

std::vector<Export> ForecastPage::exports()
{
    if (!m_snapshot || !m_forecast)
        return {};
    return {{u"forecast-chart"_s, tr("Forecast"), [this] { return m_chart->picture(); }, {}},
        {u"forecast-band"_s, tr("Forecast"), {}, [snapshot = m_snapshot, forecast = *m_forecast](std::ostream &out) {
             model::writeForecastCsv(out, *snapshot, forecast);
         }}};
}

} // namespace ui
