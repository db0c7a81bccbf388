// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/stability_page.h"

#include "model/base/format_units.h"
#include "model/report/soak_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/labels.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <utility>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

/// An interval that is wider than so many limits says nothing yet, and would flatten the rest of the chart.
constexpr double kWidestShown = 6;

QLabel *newWrapped(TextSize size, TextWeight weight, const char *tone = nullptr)
{
    QLabel *label = newLabel({}, size, weight, tone);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

QTreeWidget *newTable(const QStringList &headers, int wide)
{
    auto *table = new QTreeWidget;
    table->setRootIsDecorated(false);
    addCopyMenu(*table);
    table->setUniformRowHeights(true);
    table->setHeaderLabels(headers);
    table->header()->setStretchLastSection(false);
    table->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table->header()->setMinimumSectionSize(128); // headers are bolder than what they are measured by
    table->header()->setSectionResizeMode(wide, QHeaderView::Stretch);
    return table;
}

/// As high as its rows.
void fitHeight(QTreeWidget *table)
{
    const int row = table->topLevelItemCount() > 0 ? table->sizeHintForRow(0) : 24;
    table->setFixedHeight(table->header()->sizeHint().height() + row * std::max(table->topLevelItemCount(), 1) + 8);
}

QString percent(double share)
{
    return std::isfinite(share) ? u"%1%2"_s.arg(share >= 0 ? u"+"_s : u"−"_s).arg(std::abs(share) * 100, 0, 'f', 1)
                                : u"?"_s;
}

QString outcomeText(const model::SoakAnswer &answer)
{
    switch (answer.outcome) {
    case model::SoakOutcome::Stable:
        return answer.isProvisional ? StabilityPage::tr("Stable so far") : StabilityPage::tr("Stable");
    case model::SoakOutcome::Leaking:
        return StabilityPage::tr("Leaking");
    case model::SoakOutcome::Undecided:
        return StabilityPage::tr("Undecided");
    case model::SoakOutcome::TargetFailed:
        return StabilityPage::tr("The target failed");
    case model::SoakOutcome::LoadFailed:
        return StabilityPage::tr("The load failed");
    case model::SoakOutcome::Running:
        break;
    }
    return StabilityPage::tr("Not sure yet");
}

const char *toneOf(model::SoakOutcome outcome)
{
    switch (outcome) {
    case model::SoakOutcome::Stable:
        return "ok";
    case model::SoakOutcome::Leaking:
        return "danger";
    case model::SoakOutcome::TargetFailed:
    case model::SoakOutcome::LoadFailed:
        return "warn";
    default:
        break;
    }
    return nullptr;
}

QString stateText(const model::SoakJudgement &judgement)
{
    if (!judgement.isJudged)
        return StabilityPage::tr("not judged");
    switch (judgement.verdict.state) {
    case model::StabilityState::ProvisionalPass:
        return StabilityPage::tr("passes so far");
    case model::StabilityState::Pass:
        return StabilityPage::tr("passes");
    case model::StabilityState::Fail:
        return StabilityPage::tr("fails");
    case model::StabilityState::AtTheLimit:
        return StabilityPage::tr("at the limit");
    case model::StabilityState::Undecided:
        break;
    }
    return StabilityPage::tr("undecided");
}

/// An interval that is the only one is drawn as wide as a bar: a band of no width would be a dot in the middle of it.
void widenOnly(ChartContent &content, model::TimeSeries &line)
{
    constexpr int kParts = 60; ///< of the chart's width
    const model::Duration width{content.range.length().ns / kParts};
    model::ForecastBand begin = content.bands.front();
    begin.when = begin.when - width;
    content.bands.insert(content.bands.begin(), begin);
    line.segments.front().insert(line.segments.front().begin(), {begin.when, begin.q50});
}

model::Duration hoursOf(const model::SoakPlan &plan, double hours)
{
    return {static_cast<std::int64_t>(hours / 48 * static_cast<double>(plan.length.ns))};
}

std::int64_t beginOf(const model::SoakRecord &soak, std::uint32_t segment)
{
    std::int64_t began = soak.plan->beganWallNs;
    for (auto leg = soak.legs.rbegin(); leg != soak.legs.rend(); ++leg)
        if (leg->segment == segment)
            began = leg->beganWallNs;
    return began;
}

} // namespace

StabilityPage::StabilityPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    QVBoxLayout *column = addScrollingColumn(outer);
    setUpAnswer(column);
    setUpCharts(column);
    setUpTables(column);
    column->addStretch(1);
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
}

void StabilityPage::setUpAnswer(QVBoxLayout *column)
{
    auto *card = new Card;
    m_word = newWrapped(TextSize::Number, TextWeight::Strong);
    m_sentence = newWrapped(TextSize::Body, TextWeight::Normal);
    m_notes = newWrapped(TextSize::Caption, TextWeight::Normal, "muted");
    card->body()->setSpacing(6);
    for (QLabel *label : {m_word, m_sentence, m_notes})
        card->body()->addWidget(label);
    column->addWidget(card);
}

void StabilityPage::setUpCharts(QVBoxLayout *column)
{
    auto *line = new QHBoxLayout;
    line->setSpacing(16);
    m_memoryCard = new Card(tr("What is judged"));
    m_memory = new TimeSeriesChart(m_selection, ChartGestures::HoverOnly);
    m_memory->setAccessibleName(tr("Memory over the test"));
    m_proofCard = new Card(tr("How sure it is"));
    m_proof = new TimeSeriesChart(m_selection, ChartGestures::HoverOnly);
    m_proof->setAccessibleName(tr("Projected growth with its interval, checkpoint by checkpoint"));
    for (const auto &[card, chart] : {std::pair{m_memoryCard, m_memory}, {m_proofCard, m_proof}}) {
        chart->setMinimumHeight(200);
        card->body()->addWidget(chart, 1);
        line->addWidget(card, 1);
    }
    m_memoryCard->addExport(u"PNG"_s, [this] { return pictureNamed(u"stability-memory"_s); });
    m_memoryCard->addExport(u"CSV"_s, [this] { return tableNamed(u"stability-points"_s); });
    m_proofCard->addExport(u"PNG"_s, [this] { return pictureNamed(u"stability-proof"_s); });
    column->addLayout(line);
}

void StabilityPage::setUpTables(QVBoxLayout *column)
{
    auto *card = new Card(tr("Quantities"));
    m_quantities = newTable({tr("Quantity"), tr("Verdict"), tr("Now"), tr("Growth, %"), tr("Interval, %"),
                                tr("Ended above, %"), tr("Warm-up")},
        0);
    m_quantities->setAccessibleName(tr("What the test says of each quantity"));
    for (int i = 2; i < 7; ++i)
        m_quantities->headerItem()->setTextAlignment(i, Qt::AlignRight | Qt::AlignVCenter);
    card->body()->addWidget(m_quantities);
    column->addWidget(card);
    m_placesCard = new Card(tr("What grew"));
    m_places = newTable({tr("Function"), tr("Where"), tr("What speaks for it")}, 2);
    m_places->setAccessibleName(tr("Places of the program that grew"));
    m_placesCard->body()->addWidget(m_places);
    column->addWidget(m_placesCard);
    connect(m_places, &QTreeWidget::itemClicked, this, [this](QTreeWidgetItem *row) {
        const auto index = static_cast<std::size_t>(m_places->indexOfTopLevelItem(row));
        if (index < m_result.places.size())
            m_selection.setInspected(InspectedStack{m_result.places[index].stack, m_result.places[index].image});
    });
}

QString StabilityPage::subtitle() const
{
    if (!m_snapshot || !m_snapshot->soak || !m_snapshot->soak->plan)
        return {};
    const model::SoakPlan &plan = *m_snapshot->soak->plan;
    const QString asked
        = tr("at most %1 % growth in %2 · %3 of it seen")
              .arg(plan.mostGrowth * 100, 0, 'g', 3)
              .arg(text(model::formatDuration(plan.length)), text(model::formatDuration(m_result.answer.elapsed)));
    const QString shown = plan.period.ns > 0
        ? tr("%1 · a cycle of %2 was declared").arg(asked, text(model::formatDuration(plan.period)))
        : asked;
    return shown + allThreadsText(*m_snapshot);
}

void StabilityPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    const bool hasTest = m_snapshot && m_snapshot->soak && m_snapshot->soak->plan;
    Q_EMIT hasTestChanged(hasTest);
    if (!hasTest) {
        m_job.cancel();
        m_shown = {};
        m_result = {};
        m_word->setText(tr("No stability test"));
        m_sentence->setText(tr("genprof soak makes one."));
        return;
    }
    // Places are of the selected time.
    const bool isRead = m_snapshot->afterWarmup || m_snapshot->heapAges; // which follows the first screen
    const Shown now{m_snapshot->soak, m_snapshot->selection, isRead};
    if (now == m_shown)
        return;
    m_shown = now;
    m_job.run(
        [snapshot = m_snapshot](std::stop_token) {
            return Result{model::soakAnswer(*snapshot->soak), model::soakPlaces(*snapshot)};
        },
        [this](Result result) { show(std::move(result)); });
}

void StabilityPage::show(Result result)
{
    m_result = std::move(result);
    if (!m_snapshot || !m_snapshot->soak)
        return;
    showAnswer();
    showQuantities();
    showPlaces();
    showMemory();
    showProof();
    Q_EMIT subtitleChanged();
}

void StabilityPage::showAnswer()
{
    m_word->setText(outcomeText(m_result.answer));
    setTone(m_word, toneOf(m_result.answer.outcome));
    QString sentence = text(m_result.answer.sentence);
    if (m_result.answer.expected && m_result.answer.outcome == model::SoakOutcome::Running)
        sentence += tr(" An answer is in sight at %1.").arg(text(model::formatDuration(*m_result.answer.expected)));
    m_sentence->setText(sentence);
    QStringList notes;
    for (const std::string &note : m_result.answer.notes)
        notes << text(note);
    for (const model::SoakLoad &load : m_snapshot->soak->loads)
        notes << tr("Load “%1”: started %2 times, failed %3 times%4.")
                     .arg(text(load.command), QString::number(load.starts), QString::number(load.failures),
                         load.trouble.empty() ? QString() : tr("; last, it %1").arg(text(load.trouble)));
    m_notes->setText(notes.join(u'\n'));
    m_notes->setVisible(!notes.isEmpty());
}

void StabilityPage::showQuantities()
{
    m_quantities->clear();
    const model::SoakPlan &plan = *m_snapshot->soak->plan;
    for (const model::SoakSegment &segment : m_result.answer.segments)
        for (const model::SoakJudgement &judgement : segment.judgements) {
            const model::StabilityVerdict &verdict = judgement.verdict;
            const bool isKnown = verdict.blocks > 0;
            const QString name = text(model::soakQuantityLabel(judgement.quantity));
            auto *row = new QTreeWidgetItem(m_quantities,
                {m_result.answer.segments.size() > 1 ? tr("Segment %1: %2").arg(segment.id + 1).arg(name) : name,
                    stateText(judgement), judgement.level > 0 ? text(model::formatBytes(judgement.level)) : QString(),
                    isKnown ? percent(verdict.growth) : QString(),
                    isKnown && std::isfinite(verdict.growthInterval.low) && std::isfinite(verdict.growthInterval.high)
                        ? tr("%1 to %2").arg(percent(verdict.growthInterval.low), percent(verdict.growthInterval.high))
                        : QString(),
                    isKnown ? percent(verdict.raised) : QString(),
                    isKnown ? text(model::formatDuration(hoursOf(plan, verdict.startHours))) : QString()});
            for (int i = 2; i < 7; ++i)
                row->setTextAlignment(i, Qt::AlignRight | Qt::AlignVCenter);
            const bool fails = judgement.isJudged && verdict.state == model::StabilityState::Fail;
            if (fails || !judgement.isJudged)
                row->setForeground(1, Colors::of(this)[fails ? Token::Danger : Token::InkMuted]);
            row->setToolTip(1, text(judgement.exclusion));
        }
    fitHeight(m_quantities);
}

void StabilityPage::showPlaces()
{
    m_places->clear();
    for (const model::SoakPlace &place : m_result.places) {
        auto *row = new QTreeWidgetItem(m_places, {text(place.function), text(place.where), text(place.reason)});
        row->setToolTip(2, text(place.reason));
    }
    m_placesCard->setVisible(!m_result.places.empty());
    fitHeight(m_places);
}

/// The points of the newest segment, and the line that the worst of them must not cross.
void StabilityPage::showMemory()
{
    const model::SoakRecord &soak = *m_snapshot->soak;
    if (m_result.answer.segments.empty())
        return;
    const model::SoakSegment &segment = m_result.answer.segments.back();
    const std::int64_t partNs = soak.plan->length.ns / model::kSoakParts;
    ChartContent content;
    content.unit = model::Unit::Bytes;
    content.range = {{}, model::Timestamp{} + segment.length};
    content.startWallNs = beginOf(soak, segment.id);
    content.utcOffset = m_snapshot->info.utcOffset;
    std::array<std::vector<model::SeriesPoint>, model::kSoakQuantityCount> lines;
    for (const model::SoakPoint &point : soak.points)
        if (point.segment == segment.id)
            lines[static_cast<std::size_t>(point.quantity)].push_back({{point.part * partNs}, point.value});
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty())
            continue;
        const auto quantity = static_cast<model::SoakQuantity>(i);
        model::TimeSeries series;
        series.segments.push_back(std::move(lines[i]));
        content.lines.push_back({text(model::soakQuantityLabel(quantity)), std::move(series), {{}, i}, LineFill::None});
    }
    const model::SoakJudgement &rss = segment.judgements[0];
    if (rss.isJudged && rss.verdict.blocks > 0)
        content.limit = {rss.verdict.level * (1 + soak.plan->mostGrowth),
            tr("resident memory +%1 %").arg(soak.plan->mostGrowth * 100, 0, 'g', 3)};
    m_memory->setContent(content, content.range);
    m_memoryCard->setCaption(
        m_result.answer.segments.size() > 1 ? tr("since the last restart of the target") : tr("since the test began"));
}

/// The interval of the quantity that decides, as it closes in.
void StabilityPage::showProof()
{
    const model::SoakRecord &soak = *m_snapshot->soak;
    if (m_result.answer.segments.empty())
        return;
    const model::SoakSegment &segment = m_result.answer.segments.back();
    const model::SoakJudgement *shown = nullptr;
    for (const model::SoakJudgement &judgement : segment.judgements) {
        const bool fails = judgement.verdict.state == model::StabilityState::Fail;
        if (judgement.isJudged && judgement.verdict.blocks > 0
            && (!shown || (fails && shown->verdict.state != model::StabilityState::Fail)))
            shown = &judgement;
    }
    ChartContent content;
    content.unit = model::Unit::Percent;
    content.range = {{}, model::Timestamp{} + segment.length};
    content.startWallNs = beginOf(soak, segment.id);
    content.utcOffset = m_snapshot->info.utcOffset;
    content.limit = {soak.plan->mostGrowth * 100, tr("allowed")};
    const std::int64_t partNs = soak.plan->length.ns / model::kSoakParts;
    model::TimeSeries line;
    // The last interval is always shown: with a large leak it is far beyond the limit.
    double widest = kWidestShown * soak.plan->mostGrowth;
    for (const model::SoakCheck &check : soak.checks)
        if (shown && check.segment == segment.id && check.quantity == shown->quantity && std::isfinite(check.low))
            widest = std::max(kWidestShown * soak.plan->mostGrowth,
                std::max((check.high - check.low) / 2, std::abs(check.growth) / 2));
    for (const model::SoakCheck &check : soak.checks) {
        if (!shown || check.segment != segment.id || check.quantity != shown->quantity)
            continue;
        const double middle = check.growth * 100;
        if (!std::isfinite(check.low) || check.high - check.low > 2 * widest || std::abs(check.growth) > 2 * widest)
            continue;
        const model::Timestamp when{check.part * partNs};
        content.bands.push_back({when, check.low * 100, middle, middle, middle, check.high * 100});
        if (line.segments.empty())
            line.segments.emplace_back();
        line.segments.back().push_back({when, middle});
    }
    if (!line.isEmpty()) {
        if (content.bands.size() == 1)
            widenOnly(content, line);
        content.lines.push_back({tr("growth"), std::move(line), {Token::Memory}, LineFill::None});
    }
    m_proof->setContent(content, content.range);
    m_proofCard->setCaption(shown
            ? tr("%1: projected growth, with 95 % interval").arg(text(model::soakQuantityLabel(shown->quantity)))
            : tr("no quantity can be judged yet"));
}

std::vector<Export> StabilityPage::exports()
{
    if (!m_snapshot || !m_snapshot->soak)
        return {};
    return {{u"stability-points"_s, tr("Points of the test"), {},
                [snapshot = m_snapshot](std::ostream &out) { model::writeSoakCsv(out, *snapshot); }},
        {u"stability-memory"_s, tr("Memory over the test"), [this] { return m_memory->picture(); }, {}},
        {u"stability-proof"_s, tr("How sure it is"), [this] { return m_proof->picture(); }, {}}};
}

} // namespace ui
