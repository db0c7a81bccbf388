// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/capture_page.h"

#include "model/analysis/coverage.h"
#include "model/base/format_units.h"
#include "model/report/csv_report.h"
#include "model/report/session_words.h"
#include "model/report/text_table.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/theme.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/table_fit.h"

#include <QFormLayout>
#include <QHeaderView>
#include <QTimer>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <map>
#include <tuple>

namespace ui {

namespace {

constexpr int kImageRole = Qt::UserRole + 1; ///< the program that a row is about, by its index; -1: none

QTreeWidget *newTable(const QString &name, const QStringList &columns)
{
    auto *table = new QTreeWidget;
    table->setAccessibleName(name);
    table->setHeaderLabels(columns);
    table->setUniformRowHeights(true);
    table->setRootIsDecorated(false);
    addCopyMenu(*table);
    table->setTextElideMode(Qt::ElideMiddle);
    table->setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    table->header()->setStretchLastSection(true);
    table->header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    return table;
}

QString heapWords(model::HeapState state, model::HeapMode mode)
{
    switch (state) {
    case model::HeapState::Off:
        return mode == model::HeapMode::Off ? CapturePage::tr("not asked for") : CapturePage::tr("not known");
    case model::HeapState::Waiting:
        return CapturePage::tr("waiting for the tracer");
    case model::HeapState::Full:
        return mode == model::HeapMode::Sampled ? CapturePage::tr("samples")
            : mode == model::HeapMode::Auto     ? CapturePage::tr("as its budget allows")
                                                : CapturePage::tr("every allocation");
    case model::HeapState::Dormant:
        return CapturePage::tr("gave up");
    case model::HeapState::NotTraced:
        return CapturePage::tr("not traced");
    case model::HeapState::Inherited:
        return CapturePage::tr("from its fork on");
    case model::HeapState::Attached:
        return CapturePage::tr("from the attach on");
    }
    return {};
}

Token heapStateToken(model::HeapState state)
{
    using enum model::HeapState;
    return state == Full                                                              ? Token::Ok
        : state == Off || state == Waiting || state == Inherited || state == Attached ? Token::InkMuted
                                                                                      : Token::Warn;
}

QString gapText(model::GapKind kind)
{
    switch (kind) {
    case model::GapKind::Paused:
        return CapturePage::tr("recording was paused");
    case model::GapKind::TargetStopped:
        return CapturePage::tr("the program was stopped");
    case model::GapKind::RecorderStopped:
        return CapturePage::tr("the recorder was stopped");
    }
    return {};
}

void setAll(QTreeWidgetItem *row, const QStringList &texts)
{
    for (int i = 0; i < texts.size(); ++i) {
        row->setText(i, texts[i]);
        row->setToolTip(i, texts[i]);
    }
}

/// Why a loss came about; of a heap that was not traced the program itself is known to say more.
std::string_view reasonOf(const model::LossTotal &loss, const model::ProgramTables &tables)
{
    if (loss.kind == model::LossKind::HeapNotTraced && loss.image.isValid()
        && loss.image.index() < tables.images.size())
        if (const std::string_view note = tables.text(tables.images[loss.image.index()].heapNote); !note.empty())
            return note;
    return loss.detail;
}

/// Losses of one kind and reason that one program had, of whatever process: a compiler that runs twenty times has one row.
std::vector<model::LossTotal> joined(const std::vector<model::LossTotal> &losses, const model::ProgramTables &tables)
{
    const auto programOf = [&tables](const model::LossTotal &loss) {
        return loss.image.isValid() && loss.image.index() < tables.images.size()
            ? tables.programName(tables.images[loss.image.index()])
            : std::string_view();
    };
    std::vector<model::LossTotal> rows;
    std::map<std::tuple<model::LossKind, std::string_view, std::string_view>, std::size_t> known;
    for (const model::LossTotal &loss : losses) {
        if (loss.count == 0)
            continue;
        const auto [place, isNew]
            = known.try_emplace({loss.kind, programOf(loss), reasonOf(loss, tables)}, rows.size());
        if (isNew) {
            rows.push_back(loss);
            continue;
        }
        model::LossTotal &row = rows[place->second];
        row.count += loss.count;
        row.span = {std::min(row.span.begin, loss.span.begin), std::max(row.span.end, loss.span.end)};
    }
    return rows;
}

} // namespace

CapturePage::CapturePage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *column = addScrollingColumn(outer);
    setUpLosses(column);
    setUpProcesses(column);
    setUpFacts(column);
    column->addStretch(1);
}

void CapturePage::setUpProcesses(QVBoxLayout *column)
{
    m_processCard = new Card(tr("Processes and their programs"));
    m_processes = newTable(m_processCard->accessibleName(),
        {tr("Program"), tr("PID"), tr("Heap"), tr("From"), tr("For"), tr("End"), tr("Command line")});
    m_processes->setRootIsDecorated(true);
    m_processCard->body()->addWidget(m_processes);
    m_processCard->addExport(
        QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().front(); });
    column->addWidget(m_processCard);
    connect(m_processes, &QTreeWidget::itemActivated, this, [this](QTreeWidgetItem *row) {
        m_selection.setProcess(model::ProcessId(row->data(0, Qt::UserRole).toUInt()));
    });
}

void CapturePage::setUpLosses(QVBoxLayout *column)
{
    m_lossCard = new Card(tr("What was not seen"));
    m_losses = newTable(m_lossCard->accessibleName(), {tr("What"), tr("Number"), tr("Program"), tr("When"), tr("Why")});
    m_losses->headerItem()->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
    m_lossCard->body()->addWidget(m_losses);
    // From what was not seen to the program that it is of.
    connect(m_losses, &QTreeWidget::itemActivated, this, [this](const QTreeWidgetItem *loss) {
        for (QTreeWidgetItemIterator row(m_processes); *row != nullptr; ++row)
            if ((*row)->data(0, kImageRole) == loss->data(0, kImageRole)) {
                m_processes->setCurrentItem(*row);
                m_processes->scrollToItem(*row, QAbstractItemView::PositionAtCenter);
                m_processes->setFocus(Qt::OtherFocusReason);
            }
    });
    m_lossCard->addExport(QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().back(); });
    column->addWidget(m_lossCard);
}

void CapturePage::setUpFacts(QVBoxLayout *column)
{
    m_momentCard = new Card(tr("Gaps and marks"));
    m_moments = newTable(m_momentCard->accessibleName(), {tr("When"), tr("For"), tr("What")});
    m_momentCard->body()->addWidget(m_moments);
    m_momentCard->addExport(QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().at(1); });
    column->addWidget(m_momentCard);
    auto *card = new Card(tr("How it was recorded"));
    auto *area = new QWidget;
    m_facts = new QFormLayout(area);
    m_facts->setContentsMargins(0, 0, 0, 0);
    m_facts->setVerticalSpacing(4);
    m_facts->setHorizontalSpacing(16);
    m_facts->setLabelAlignment(Qt::AlignLeft);
    card->body()->addWidget(area);
    column->addWidget(card);
}

QString CapturePage::clock(model::Timestamp when) const
{
    return text(
        model::formatMoment(when, m_snapshot->info.duration, m_snapshot->info.startWallNs, m_snapshot->info.utcOffset));
}

QString CapturePage::subtitle() const { return m_snapshot ? text(model::coverage(*m_snapshot).sentence) : QString(); }

model::Trust CapturePage::subtitleTrust() const
{
    return m_snapshot ? model::coverage(*m_snapshot).worst() : model::Trust::Whole;
}

void CapturePage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_isNew = m_isNew || !m_snapshot || !snapshot || m_snapshot->file != snapshot->file
        || m_snapshot->info.state != snapshot->info.state;
    m_snapshot = std::move(snapshot);
    if (!m_snapshot)
        return;
    showProcesses();
    showLosses();
    showMoments();
    showFacts();
    fitNew();
    Q_EMIT subtitleChanged();
}

void CapturePage::showEvent(QShowEvent *event)
{
    Page::showEvent(event);
    // The tables have their width once this event is over.
    QTimer::singleShot(0, this, &CapturePage::fitNew);
}

void CapturePage::fitNew()
{
    if (!m_isNew || !m_snapshot || !isVisible())
        return;
    m_isNew = false;
    fitColumns(*m_processes, 0.3);
    fitColumns(*m_losses, 0.42);
    fitColumns(*m_moments, 0.42);
}

void CapturePage::fillImage(QTreeWidgetItem *row, const model::Image &image) const
{
    const model::ProgramTables &tables = *m_snapshot->tables;
    const model::Process &process = tables.processes.at(image.process.index());
    const bool isLast = image.end == process.end;
    const bool isOver = m_snapshot->info.state == model::SessionState::Complete;
    const QString end = !image.end ? (isOver ? tr("ran on") : tr("runs"))
        : !isLast                  ? tr("exec")
        : process.waitStatus       ? waitStatusText(*process.waitStatus)
                                   : tr("ended");
    const model::Timestamp until = image.end.value_or(model::Timestamp{m_snapshot->info.duration.ns});
    const QString name = text(tables.programName(image));
    setAll(row,
        {name.isEmpty() ? tr("not known") : name, QString::number(process.pid),
            heapWords(image.heap, m_snapshot->info.config.heap), clock(image.start),
            text(model::formatDuration(until - image.start)), end,
            text(model::onOneLine(tables.text(image.commandLine)))});
    row->setToolTip(0, text(tables.text(image.executable)));
    row->setToolTip(6, text(tables.text(image.commandLine)));
    row->setForeground(2, Colors::of(this)[heapStateToken(image.heap)]);
    const QString note = text(tables.text(image.heapNote));
    if (!note.isEmpty()) {
        row->setText(2, heapWords(image.heap, m_snapshot->info.config.heap) + QStringLiteral(": ") + note);
        row->setToolTip(2, note);
    }
    row->setData(0, Qt::UserRole, image.process.value);
}

void CapturePage::showProcesses()
{
    const model::ProgramTables &tables = *m_snapshot->tables;
    m_processes->clear();
    std::map<model::ProcessId, QTreeWidgetItem *> rows; // of a process: its first image
    int count = 0;
    for (const model::Image &image : tables.images) {
        const model::Process &process = tables.processes.at(image.process.index());
        const auto own = rows.find(image.process);
        const auto parent = rows.find(process.parent);
        QTreeWidgetItem *row = nullptr;
        if (own != rows.end())
            row = new QTreeWidgetItem(own->second); // an exec of it
        else if (parent != rows.end())
            row = new QTreeWidgetItem(parent->second);
        else
            row = new QTreeWidgetItem(m_processes);
        rows.try_emplace(image.process, row);
        fillImage(row, image);
        row->setData(0, kImageRole, count);
        if (++count >= 2000)
            break;
    }
    const auto total = tables.images.size();
    m_processCard->setCaption(total > 2000 ? tr("the first 2,000 of %1 programs; the CSV has all").arg(total)
            : total == 1
            ? tr("one program")
            : tr("%1 programs in %2 processes · Enter filters by one").arg(total).arg(tables.processes.size()));
    const bool isTree
        = std::any_of(rows.begin(), rows.end(), [](const auto &row) { return row.second->childCount() > 0; });
    m_processes->setRootIsDecorated(isTree); // else names would be indented for nothing
    m_processes->expandAll();
    fitHeight(*m_processes, count, 1, 14);
}

void CapturePage::showLosses()
{
    const model::ProgramTables &tables = *m_snapshot->tables;
    m_losses->clear();
    for (const model::LossTotal &loss : joined(m_snapshot->losses, tables)) {
        QString program;
        if (loss.image.isValid() && loss.image.index() < tables.images.size())
            program = text(tables.programName(tables.images[loss.image.index()]));
        auto *row = new QTreeWidgetItem(m_losses);
        setAll(row,
            {text(model::lossLabel(loss.kind)), text(model::formatCount(loss.count)), program,
                tr("%1 – %2").arg(clock(loss.span.begin), clock(loss.span.end)), text(reasonOf(loss, tables))});
        row->setData(0, kImageRole, loss.image.isValid() ? static_cast<int>(loss.image.index()) : -1);
        row->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
    }
    const int rows = m_losses->topLevelItemCount();
    const model::Coverage coverage = model::coverage(*m_snapshot);
    QString caption = text(coverage.sentence);
    if (!coverage.items.empty() && !coverage.items.front().effect.empty())
        caption = text(coverage.items.front().what + ": " + coverage.items.front().effect);
    m_lossCard->setCaption(caption);
    m_lossCard->setCaptionTrust(coverage.worst());
    m_losses->setColumnHidden(2, tables.images.size() <= 1); // says nothing, and takes room from why
    m_losses->setVisible(rows > 0);
    fitHeight(*m_losses, rows, 1, 10);
}

void CapturePage::showMoments()
{
    m_moments->clear();
    std::multimap<model::Timestamp, QStringList> moments; // by time
    for (const model::Gap &gap : m_snapshot->gaps)
        moments.emplace(gap.span.begin,
            QStringList{clock(gap.span.begin), text(model::formatDuration(gap.span.length())), gapText(gap.kind)});
    for (const model::Mark &mark : m_snapshot->marks)
        moments.emplace(mark.when, QStringList{clock(mark.when), {}, text(mark.text)});
    for (const auto &[when, texts] : moments)
        setAll(new QTreeWidgetItem(m_moments), texts);
    const int rows = m_moments->topLevelItemCount();
    m_momentCard->setCaption(rows == 0 ? tr("none") : QString());
    m_moments->setVisible(rows > 0);
    fitHeight(*m_moments, rows, 1, 8);
}

void CapturePage::showFacts()
{
    while (m_facts->rowCount() > 0)
        m_facts->removeRow(0);
    const auto add = [this](const QString &name, const QString &value) {
        if (value.isEmpty())
            return;
        QLabel *shown = newLabel(value);
        shown->setWordWrap(true);
        shown->setTextInteractionFlags(Qt::TextSelectableByMouse);
        QLabel *label = newLabel(name, TextSize::Body, TextWeight::Normal, "muted");
        label->setMinimumWidth(130);
        m_facts->addRow(label, shown);
    };
    const model::SessionInfo &info = m_snapshot->info;
    add(tr("Began"), text(model::formatDateTime({}, info.startWallNs, info.utcOffset)).replace(u'T', u' '));
    add(tr("Lasted"), text(model::formatDuration(info.duration)));
    add(tr("Ended"),
        info.exitStatus ? tr("%1 (%2)").arg(text(info.endReason), waitStatusText(*info.exitStatus))
                        : text(info.endReason));
    add(tr("Machine"), tr("%1 · %2 · %3 CPUs").arg(text(info.host), text(info.kernel)).arg(info.cpuCount));
    add(tr("CPU sampling"),
        info.cpuEvent.empty()
            ? text(info.cpuNote)
            : tr("%1 at %2 Hz. %3").arg(text(info.cpuEvent)).arg(info.config.cpuHz).arg(text(info.cpuNote)));
    if (info.config.systemCalls || info.config.waits)
        add(info.config.systemCalls ? info.config.waits ? tr("System calls, waits") : tr("System calls") : tr("Waits"),
            info.activityNote.empty() ? tr("each one")
                    + ownStacksText(
                        *m_snapshot, info.config.systemCalls ? model::CostSource::SystemCall : model::CostSource::Wait)
                                      : text(info.activityNote));
    add(tr("Tick"), text(model::formatDuration(info.config.tick)));
    add(tr("Kept"), text(model::keptText(*m_snapshot)));
    add(tr("Budget"), text(m_snapshot->coarsened));
    add(tr("Redacted"), text(model::redactionText(info)));
    add(tr("Damage"), text(m_snapshot->damage));
    add(tr("Recorder"), text(info.recorderVersion));
    add(tr("File"), text(m_snapshot->file));
}

std::vector<Export> CapturePage::exports()
{
    if (!m_snapshot)
        return {};
    return {{QStringLiteral("capture-processes"), tr("Processes"), {},
                [snapshot = m_snapshot](std::ostream &out) { writeProcessesCsv(out, *snapshot); }},
        {QStringLiteral("capture-moments"), tr("Gaps and marks"), {},
            [snapshot = m_snapshot](std::ostream &out) { writeMomentsCsv(out, *snapshot); }},
        {QStringLiteral("capture-losses"), tr("Losses"), {},
            [snapshot = m_snapshot](std::ostream &out) { model::writeLossesCsv(out, *snapshot); }}};
}

} // namespace ui
