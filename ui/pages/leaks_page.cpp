// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/leaks_page.h"

#include "model/report/csv_report.h"
#include "model/report/leak_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/table_fit.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

#include <map>

namespace ui {

namespace {

QLabel *newWrapped(const char *tone = nullptr)
{
    QLabel *label = newLabel({}, TextSize::Body, TextWeight::Normal, tone);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

QString joined(const std::vector<std::string> &sentences)
{
    QStringList lines;
    for (const std::string &sentence : sentences)
        lines << text(sentence);
    return lines.join(u'\n');
}

} // namespace

LeaksPage::LeaksPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    m_column = addScrollingColumn(outer);
    setUpTable();
    m_details = new QWidget;
    auto *details = new QVBoxLayout(m_details);
    details->setContentsMargins(0, 0, 0, 0);
    details->setSpacing(16);
    m_column->addWidget(m_details, 3);
    setUpCharts();
    setUpEvidence();
    m_details->hide();
    m_empty = new EmptyState;
    m_empty->hide();
    m_column->addWidget(m_empty, 2);
    m_column->addStretch(0);
    connect(m_empty, &EmptyState::actionWanted, this,
        [this] { Q_EMIT pageWanted(model::CardPage::Recommendations, std::nullopt); });
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
}

void LeaksPage::setUpTable()
{
    m_card = new Card;
    auto *card = m_card;
    m_answer = newLabel({}, TextSize::Body, TextWeight::Strong);
    m_answer->setWordWrap(true);
    m_notes = newWrapped("muted");
    card->body()->setSpacing(6);
    card->body()->addWidget(m_answer);
    card->body()->addWidget(m_notes);
    m_table = new QTableView;
    addCopyMenu(*m_table);
    m_table->setModel(&m_model);
    m_table->setAccessibleName(tr("Places that keep growing"));
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setMinimumSectionSize(100); // headers are bolder than what they are measured by
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(LeakTableModel::PlaceColumn, QHeaderView::Stretch);
    m_table->setTextElideMode(Qt::ElideMiddle);
    card->body()->addWidget(m_table);
    m_column->addWidget(card);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
        [this](const QModelIndex &current) { choose(current.row()); });
    connect(m_table, &QTableView::clicked, this, [this](const QModelIndex &index) { choose(index.row()); });
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex &index) { choose(index.row()); });
}

void LeaksPage::setUpCharts()
{
    m_charts = new QWidget;
    auto *line = new QHBoxLayout(m_charts);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(16);
    auto *survival = new Card(tr("Of blocks born together, how many live on"));
    survival->setCaption(tr("by age"));
    m_survival = new SurvivalChart;
    m_survival->setAccessibleName(tr("Share of blocks that live on, by age"));
    m_survival->setMinimumHeight(170);
    survival->body()->addWidget(m_survival, 1);
    survival->addExport(QStringLiteral("PNG"), [this] { return pictureNamed(QStringLiteral("leaks-survival")); });
    auto *live = new Card(tr("Live bytes"));
    live->setCaption(tr("of all stacks of this place, at the end of each span"));
    m_live = new TimeSeriesChart(m_selection, ChartGestures::Select);
    m_live->setAccessibleName(tr("Live bytes of the place over time"));
    m_live->setMinimumHeight(170);
    live->body()->addWidget(m_live, 1);
    live->addExport(QStringLiteral("PNG"), [this] { return pictureNamed(QStringLiteral("leaks-live")); });
    live->addExport(QStringLiteral("CSV"), [this] { return tableNamed(QStringLiteral("leaks-live")); });
    live->setShowAll([this] { m_selection.setTime(std::nullopt); });
    line->addWidget(survival, 1);
    line->addWidget(live, 1);
    static_cast<QVBoxLayout *>(m_details->layout())->addWidget(m_charts, 1);
}

void LeaksPage::setUpEvidence()
{
    m_evidenceCard = new Card(tr("Evidence"));
    m_evidence = newWrapped();
    m_caution = newWrapped("warn");
    m_evidenceCard->body()->addWidget(m_evidence);
    m_evidenceCard->body()->addWidget(m_caution);
    auto *line = new QHBoxLayout;
    auto *stack = new QPushButton(tr("Show the stack in Heap"));
    line->addWidget(stack);
    line->addStretch(1);
    m_evidenceCard->body()->addLayout(line);
    m_details->layout()->addWidget(m_evidenceCard);
    connect(stack, &QPushButton::clicked, this, [this] {
        inspect(m_table->currentIndex().row());
        if (const std::optional<InspectedStack> chosen = m_selection.inspected())
            Q_EMIT stackWanted(model::CardPage::Heap, model::CostKind::Growth, *chosen);
    });
}

QString LeaksPage::subtitle() const
{
    if (!m_snapshot)
        return {};
    const QString whole = m_snapshot->selection.time ? tr("of the whole recording, whatever time is selected")
                                                     : tr("from the whole recording");
    return whole + allThreadsText(*m_snapshot);
}

void LeaksPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isSame = m_snapshot && snapshot && m_snapshot->file == snapshot->file;
    // Only what a bucket's end, the selected process or new names change is worth a new look.
    const bool isUnchanged = isSame && m_model.snapshot() && m_snapshot->heapAges == snapshot->heapAges
        && m_snapshot->selection.process == snapshot->selection.process && m_snapshot->scans == snapshot->scans
        && m_snapshot->info.state == snapshot->info.state;
    m_snapshot = std::move(snapshot);
    Q_EMIT subtitleChanged();
    if (!isSame) {
        m_chosen.reset();
        show({}, nullptr);
    }
    if (!m_snapshot) {
        m_job.cancel();
        return;
    }
    if (isUnchanged)
        return;
    m_job.run(
        [shown = m_snapshot](std::stop_token stop) {
            const auto report = model::leaksOf(*shown, stop);
            return report ? std::optional(*report) : std::nullopt;
        },
        [this, shown = m_snapshot](model::LeakReport report) { show(std::move(report), shown); });
}

void LeaksPage::show(model::LeakReport report, const std::shared_ptr<const model::Snapshot> &snapshot)
{
    const int row = rowOfChoice(report);
    int growing = 0;
    for (const model::LeakItem &item : report.items)
        growing += item.tier != model::LeakTier::Idle ? 1 : 0;
    m_answer->setText(text(report.sentence));
    m_notes->setText(joined(report.notes));
    m_notes->setVisible(!report.notes.empty());
    setTone(m_notes, toneOf(snapshot ? model::coverage(*snapshot).heap : model::Trust::Whole));
    m_card->setVisible(row >= 0);
    m_details->setVisible(row >= 0);
    showWhyEmpty(report, snapshot != nullptr && row < 0);
    m_isRenewing = true;
    m_model.setReport(std::move(report), snapshot);
    constexpr int kMostRows = 6; // what is known of the chosen one stays in sight
    fitHeight(*m_table, m_model.rowCount(), 1, kMostRows);
    if (row >= 0)
        m_table->selectRow(row);
    m_isRenewing = false;
    showItem(row);
    Q_EMIT findingsCounted(growing);
}

void LeaksPage::showWhyEmpty(const model::LeakReport &report, bool isEmpty)
{
    m_empty->setVisible(isEmpty);
    QString sentence = joined(report.notes);
    if (report.state == model::LeakReport::State::NotEnough)
        sentence += (sentence.isEmpty() ? QString() : QStringLiteral("\n"))
            + tr("Record for longer. For a short run the ages of blocks can be kept more finely: “genprof record "
                 "--age-bucket 100ms” needs a hundredth of the time that the default does. What grew so far stands in "
                 "Advice, and in the column Growth of Heap.");
    const bool hasHeap = report.state != model::LeakReport::State::NoData;
    QString title = text(report.sentence);
    if (title.endsWith(u'.'))
        title.chop(1); // a title
    m_empty->setText(title, sentence, hasHeap ? tr("Show what grew so far") : QString());
}

/// The row to select: -1 where there is none.
int LeaksPage::rowOfChoice(const model::LeakReport &report) const
{
    std::optional<std::size_t> row;
    for (std::size_t i = 0; m_chosen && i < report.items.size(); ++i) {
        const model::LeakItem &item = report.items[i];
        if (item.image == m_chosen->image && item.function == m_chosen->function
            && (!row || item.tier == m_chosen->tier))
            row = i;
    }
    return report.items.empty() ? -1 : static_cast<int>(row.value_or(0));
}

/// By the reader, with whatever button or key: what the inspector shows goes along.
void LeaksPage::choose(int row)
{
    if (m_isRenewing || row < 0 || static_cast<std::size_t>(row) >= m_model.report().items.size())
        return;
    const model::LeakItem &item = m_model.report().items[static_cast<std::size_t>(row)];
    m_chosen = Choice{item.image, item.function, item.tier};
    showItem(row);
    inspect(row);
}

void LeaksPage::showItem(int row)
{
    if (row < 0 || static_cast<std::size_t>(row) >= m_model.report().items.size())
        return;
    const model::LeakItem &item = m_model.report().items[static_cast<std::size_t>(row)];
    m_evidenceCard->setTitle(text(item.title));
    m_evidenceCard->setCaption(text(item.where));
    m_evidence->setText(joined(item.evidence));
    m_caution->setText(text(item.caution));
    m_caution->setVisible(!item.caution.empty());
    const model::LeakStack &stack = item.stacks.front();
    m_charts->setVisible(stack.ages != nullptr); // known from a scan alone: there is no history to draw
    m_column->setStretchFactor(m_details, stack.ages ? 3 : 0);
    m_column->setStretch(m_column->count() - 1, stack.ages ? 0 : 1); // what is left stays empty below
    if (!stack.ages)
        return;
    m_survival->setContent({stack.test.survival, stack.test.matureAge, stack.ages->bucket});
    showLive(item);
}

void LeaksPage::showLive(const model::LeakItem &item)
{
    std::map<model::Timestamp, double> sums;
    for (const model::LeakStack &stack : item.stacks)
        for (std::size_t i = 0; stack.ages && i < stack.ages->buckets.size(); ++i)
            sums[stack.followedFrom + model::Duration{stack.ages->bucket.ns * static_cast<std::int64_t>(i + 1)}]
                += static_cast<double>(stack.ages->buckets[i].liveBytes);
    model::TimeSeries series{model::HeapQuantity::LiveBytes, {{}}};
    for (const auto &[when, bytes] : sums)
        series.segments.front().push_back({when, bytes});
    const model::Snapshot &snapshot = *m_model.snapshot();
    ChartContent content = newContent(snapshot, model::Unit::Bytes);
    const model::TimeRange whole{{0}, {snapshot.info.duration.ns}};
    content.range = snapshot.selection.time ? snapshot.span : whole;
    content.lines.push_back({{}, std::move(series), {Token::Memory}, LineFill::Below});
    m_live->setContent(content, whole);
}

void LeaksPage::inspect(int row)
{
    if (row < 0 || static_cast<std::size_t>(row) >= m_model.report().items.size())
        return;
    const model::LeakItem &item = m_model.report().items[static_cast<std::size_t>(row)];
    m_selection.setInspected(InspectedStack{item.stacks.front().stack, item.image});
}

std::vector<Export> LeaksPage::exports()
{
    if (!m_model.snapshot())
        return {};
    std::vector<Export> all{{QStringLiteral("leaks-list"), tr("Leaks"), {},
        [report = m_model.report(), snapshot = m_model.snapshot()](
            std::ostream &out) { model::writeLeaksCsv(out, *snapshot, report); }}};
    if (!m_model.report().items.empty()) {
        all.push_back({QStringLiteral("leaks-survival"), tr("Survival"), [this] { return m_survival->picture(); }, {}});
        all.push_back({QStringLiteral("leaks-live"), tr("Live bytes"), [this] { return m_live->picture(); }, {}});
        all.push_back({QStringLiteral("leaks-live"), tr("Live bytes"), {},
            [this, snapshot = m_model.snapshot()](std::ostream &out) {
                std::vector<model::SeriesColumn> columns;
                for (const ChartLine &line : m_live->content().lines)
                    columns.push_back(model::seriesColumn(line.series));
                model::writeSeriesCsv(out, *snapshot, columns, m_live->content().range);
            }});
    }
    return all;
}

} // namespace ui
