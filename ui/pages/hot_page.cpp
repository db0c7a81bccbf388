// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/hot_page.h"

#include "model/aggregate/sampling_error.h"
#include "model/base/format_counted.h"
#include "model/base/format_interval.h"
#include "model/report/distinct_names.h"
#include "model/report/hot_report.h"
#include "ui/models/cost_columns.h"
#include "ui/models/name_needle.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/columns_that_fit.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/function_menu.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/noted_tree_widget.h"
#include "ui/widgets/share_delegate.h"
#include "ui/widgets/thread_box.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QTreeWidget>

#include <algorithm>

namespace ui {

using model::CostKind;

namespace {

constexpr std::size_t kMostFunctions = 100;
constexpr int kLeastNamePx = 220;

/// The page that is about a cost.
model::CardPage pageOf(CostKind kind)
{
    switch (model::costInfo(kind).source) {
    case model::CostSource::Cpu:
        return model::CardPage::Cpu;
    case model::CostSource::SystemCall:
        return model::CardPage::SystemCalls;
    case model::CostSource::Wait:
        return model::CardPage::Waits;
    case model::CostSource::Heap:
        break;
    }
    return model::CardPage::Heap;
}

enum PathColumn { PathName, PathShare, PathInterval, PathEnd, PathPlace, PathColumnCount };
enum FunctionColumn {
    RankColumn,
    NameColumn,
    SelfColumn,
    IntervalColumn,
    TotalColumn,
    PlaceColumn,
    FunctionColumnCount
};

QString intervalText(const model::Interval &share)
{
    return text(model::formatInterval(share.low * 100, share.high * 100, model::Unit::Percent));
}

/// "2", and "2 =" where several share the place.
QString rankText(std::size_t rank, bool isTie)
{
    return QString::number(rank) + (isTie ? QStringLiteral(" =") : QString());
}

template <typename Ranked> bool isTieAt(const std::vector<Ranked> &all, std::size_t i)
{
    return (i > 0 && all[i - 1].rank == all[i].rank) || (i + 1 < all.size() && all[i + 1].rank == all[i].rank);
}

NotedTreeWidget *newTable(const QStringList &headers, int wide)
{
    auto *table = new NotedTreeWidget;
    table->setHeaderLabels(headers);
    table->setUniformRowHeights(true);
    table->setTextElideMode(Qt::ElideMiddle);
    table->header()->setStretchLastSection(false);
    table->header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->header()->setMinimumSectionSize(48);
    table->header()->setSectionResizeMode(wide, QHeaderView::Stretch);
    return table;
}

void setColumn(QTreeWidget &table, int column, int width)
{
    table.header()->resizeSection(column, width);
    table.headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
}

} // namespace

HotPage::HotPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    setUpControls(column);
    setUpTables(column);
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
    connect(&m_selection, &Selection::findTextChanged, this, &HotPage::applyFind);
}

void HotPage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    const int wanted = m_controls->itemAt(0)->sizeHint().width() + m_controls->itemAt(1)->sizeHint().width() + 32;
    m_controls->setDirection(widthBesideInspector() < wanted ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

void HotPage::setUpTables(QBoxLayout *column)
{
    m_stack = new QStackedWidget;
    auto *splitter = new QSplitter(Qt::Vertical);
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(8);
    m_pathCard = new Card(tr("Where most of it flows"));
    m_paths = newTable({tr("Function"), tr("Share"), tr("95 % interval"), tr("Ends"), tr("Place")}, PathName);
    m_paths->setAccessibleName(tr("Paths on which most of the cost flows"));
    m_paths->setIndentation(14);
    setColumn(*m_paths, PathShare, 130);
    setColumn(*m_paths, PathInterval, 130);
    m_paths->header()->resizeSection(PathEnd, 96);
    m_paths->header()->resizeSection(PathPlace, 190);
    // Names come first; the inspector says where a function is.
    m_pathColumns = new ColumnsThatFit(*m_paths, PathName, kLeastNamePx, {PathPlace, PathEnd, PathInterval});
    m_functionCard = new Card(tr("Functions by their own part"));
    m_functionCard->addExport(
        QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().front(); });
    m_functions
        = newTable({tr("Rank"), tr("Function"), tr("Self"), tr("95 % interval"), tr("Total"), tr("Place")}, NameColumn);
    m_functions->setAccessibleName(tr("Functions by their own part of the cost"));
    m_functions->setRootIsDecorated(false);
    m_functions->header()->resizeSection(RankColumn, 56);
    setColumn(*m_functions, SelfColumn, 130);
    setColumn(*m_functions, IntervalColumn, 130);
    setColumn(*m_functions, TotalColumn, 84);
    m_functions->header()->resizeSection(PlaceColumn, 190);
    m_functionColumns
        = new ColumnsThatFit(*m_functions, NameColumn, kLeastNamePx, {PlaceColumn, IntervalColumn, TotalColumn});
    for (const auto &[card, table] : {std::pair{m_pathCard, m_paths}, {m_functionCard, m_functions}}) {
        table->setItemDelegate(new ShareDelegate(Token::Cpu, table));
        table->setMinimumHeight(100);
        card->body()->addWidget(table);
        splitter->addWidget(card);
        table->setContextMenuPolicy(Qt::CustomContextMenu);
        connect(table, &QTreeWidget::itemClicked, this, &HotPage::inspect);
        connect(table, &QTreeWidget::itemSelectionChanged, this, [this, rows = table] {
            if (const QList<QTreeWidgetItem *> chosen = rows->selectedItems(); !chosen.isEmpty())
                inspect(chosen.front());
        });
        connect(table, &QTreeWidget::itemActivated, this, &HotPage::showOnItsPage);
        connect(table, &QTreeWidget::customContextMenuRequested, this, [this, rows = table](const QPoint &position) {
            if (const QTreeWidgetItem *row = rows->itemAt(position))
                showMenu(row, rows->viewport()->mapToGlobal(position));
        });
    }
    splitter->setStretchFactor(0, 2);
    splitter->setStretchFactor(1, 3);
    m_empty = new EmptyState;
    m_stack->addWidget(splitter);
    m_stack->addWidget(m_empty);
    column->addWidget(m_stack, 1);
}

QString HotPage::subtitle() const
{
    if (!m_snapshot)
        return {};
    const bool isHeap = model::costInfo(m_kind).source == model::CostSource::Heap; // not kept by thread
    QString words = QStringLiteral("%1 · %2").arg(
        costLabel(m_kind), selectionText(*m_snapshot, isHeap ? ByThread::No : ByThread::Yes));
    if (m_hot && !m_hot->isExact())
        words += QStringLiteral(" · ") + text(model::formatCounted(m_hot->samples.taken, "sample"));
    if (!m_paths->note().isEmpty() && !m_functions->note().isEmpty())
        words += tr(" · no function here matches “%1”").arg(NameNeedle(m_selection.findText()).name());
    return words;
}

void HotPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    m_snapshot = std::move(snapshot);
    if (isOther) {
        m_job.cancel();
        m_hot.reset();
        m_shownSnapshot.reset();
        m_isChosen = false;
        m_paths->clear();
        m_functions->clear();
    }
    if (!m_snapshot)
        return;
    chooseWhatIsThere();
    m_threads->showThreads(*m_snapshot, m_kind);
    // What somebody reads does not move under their eyes: while recording it is renewed every two seconds.
    const bool isSameView = m_shownSnapshot && m_shownSnapshot->selection == m_snapshot->selection;
    const bool isLive = m_snapshot->info.state == model::SessionState::Recording;
    if (!isLive || !isSameView
        || (!m_job.isRunning()
            && m_snapshot->info.duration - m_shownSnapshot->info.duration >= model::Duration::fromMs(2000)))
        rebuild();
    Q_EMIT subtitleChanged();
}

void HotPage::rebuild()
{
    if (!m_snapshot)
        return;
    m_job.run([snapshot = m_snapshot, kind = m_kind](
                  std::stop_token stop) { return model::hotSpots(*snapshot, kind, kMostFunctions, stop); },
        [this, snapshot = m_snapshot](model::HotSpots hot) {
            m_shownSnapshot = snapshot;
            show(std::move(hot));
        });
}

void HotPage::show(model::HotSpots hot)
{
    m_hot = std::move(hot);
    const bool isEmpty = m_hot->functions.empty();
    m_empty->setWords(m_kind == CostKind::CpuTime
            ? tr("No CPU sample falls into what is selected.\nSelect a longer time, or all threads.")
            : tr("Nothing in what is selected has this cost.\nSelect a longer time, or another cost."));
    m_stack->setCurrentIndex(isEmpty ? 1 : 0);
    const bool isExact = m_hot->isExact();
    m_pathColumns->setWanted(PathInterval, !isExact);
    m_functionColumns->setWanted(IntervalColumn, !isExact);
    m_pathCard->setCaption(isExact ? tr("down to where it is spent or splits; “=” are ties")
                                   : tr("down to where it is spent or splits; “=”: too close to tell"));
    QString caption = m_kind != CostKind::CpuTime && model::isHeapSampled(*m_shownSnapshot)
        ? tr("estimates of a sampled heap")
        : isExact ? tr("counted")
                  : tr("“=”: intervals overlap, too close to tell");
    if (m_hot->tracerNs > 0)
        caption += tr(" · shares without %1 in the tracer, which other pages count in")
                       .arg(text(model::formatDuration({m_hot->tracerNs})));
    m_functionCard->setCaption(caption);
    showPaths();
    showFunctions();
    filterRows();
}

QString HotPage::placeText(model::StringId file, std::uint32_t line) const
{
    const std::string &path = m_shownSnapshot->tables->text(file);
    return path.empty() ? QString()
                        : text(model::fileNameOf(path)) + (line > 0 ? u':' + QString::number(line) : QString());
}

HotPage::NodeNames HotPage::pathNames() const
{
    NodeNames names;
    for (const model::HotPath &path : m_hot->paths)
        for (const model::NodeId node : path.nodes)
            names.try_emplace(node.value);
    std::vector<model::NamedRow> rows;
    for (const auto &[node, name] : names) {
        const model::CallNode &found = m_hot->tree.node(model::NodeId(node));
        rows.push_back({m_hot->tree.name(model::NodeId(node)), placeText(found.file, found.line).toStdString()});
    }
    const std::vector<std::string> distinct = model::distinctNames(rows);
    auto next = distinct.begin();
    for (auto &[node, name] : names)
        name = text(*next++);
    return names;
}

void HotPage::fillPath(QTreeWidgetItem &row, const model::HotPath &path, bool isTie, const NodeNames &names) const
{
    const model::CallTree &tree = m_hot->tree;
    const model::CallNode &last = tree.node(path.nodes.back());
    const std::string name = tree.name(path.nodes.back());
    row.setText(PathName, rankText(path.rank, isTie) + QStringLiteral("   ") + names.at(path.nodes.back().value));
    row.setData(0, FullTextRole, text(name));
    row.setData(0, NodeRole, path.nodes.back().value);
    row.setToolTip(PathName, text(name));
    row.setText(PathShare, text(model::formatShare(path.share)));
    row.setData(PathShare, ShareRole, path.share);
    row.setText(PathInterval, intervalText(path.share95));
    row.setText(PathEnd, path.endsInSelf ? tr("spent here") : tr("splits"));
    row.setToolTip(PathEnd,
        path.endsInSelf ? tr("spent in this function itself, not in what it calls")
                        : tr("splits here: less than half of it goes into parts with 5 % of everything"));
    row.setText(PathPlace, placeText(last.file, last.line));
    qDeleteAll(row.takeChildren());
    for (const model::NodeId node : path.nodes) {
        auto *frame = new QTreeWidgetItem(&row);
        QString shown = names.at(node.value);
        if (tree.node(node).recursion > 1)
            shown += tr("   calls itself, %1 deep").arg(tree.node(node).recursion);
        frame->setText(PathName, shown);
        frame->setData(0, FullTextRole, text(tree.name(node)));
        frame->setData(0, NodeRole, node.value);
        frame->setToolTip(PathName, text(tree.name(node)));
        frame->setText(PathShare, text(model::formatShareOf(tree.total(node), tree.all())));
        frame->setData(PathShare, ShareRole, static_cast<double>(tree.total(node)) / static_cast<double>(tree.all()));
        frame->setText(PathPlace, placeText(tree.node(node).file, tree.node(node).line));
    }
    for (QTreeWidgetItem *each = &row; each != nullptr;) {
        each->setTextAlignment(PathShare, Qt::AlignRight | Qt::AlignVCenter);
        each->setTextAlignment(PathInterval, Qt::AlignRight | Qt::AlignVCenter);
        const int next = each == &row ? 0 : row.indexOfChild(each) + 1;
        each = next < row.childCount() ? row.child(next) : nullptr;
    }
}

void HotPage::showPaths()
{
    const QSignalBlocker quiet(m_paths); // rows that come and go are no choice
    const bool isFirst = m_paths->topLevelItemCount() == 0;
    while (m_paths->topLevelItemCount() > static_cast<int>(m_hot->paths.size()))
        delete m_paths->takeTopLevelItem(m_paths->topLevelItemCount() - 1);
    while (m_paths->topLevelItemCount() < static_cast<int>(m_hot->paths.size()))
        new QTreeWidgetItem(m_paths);
    const int scrolled = m_paths->verticalScrollBar()->value();
    const NodeNames names = pathNames();
    for (std::size_t i = 0; i < m_hot->paths.size(); ++i)
        fillPath(*m_paths->topLevelItem(static_cast<int>(i)), m_hot->paths[i], isTieAt(m_hot->paths, i), names);
    m_paths->verticalScrollBar()->setValue(scrolled);
    if (isFirst && m_hot->paths.size() == 1)
        m_paths->topLevelItem(0)->setExpanded(true);
}

void HotPage::showFunctions()
{
    const QSignalBlocker quiet(m_functions);
    const QString current
        = m_functions->currentItem() ? m_functions->currentItem()->data(0, FullTextRole).toString() : QString();
    const int count = static_cast<int>(m_hot->functions.size());
    while (m_functions->topLevelItemCount() > count)
        delete m_functions->takeTopLevelItem(m_functions->topLevelItemCount() - 1);
    while (m_functions->topLevelItemCount() < count)
        new QTreeWidgetItem(m_functions);
    m_functions->setAutoScroll(false);
    const std::vector<std::string> names
        = model::distinctNames(model::namedRows(*m_hot->table.functions, m_hot->functions));
    for (std::size_t i = 0; i < m_hot->functions.size(); ++i) {
        const model::HotFunction &each = m_hot->functions[i];
        QTreeWidgetItem &row = *m_functions->topLevelItem(static_cast<int>(i));
        const QString name = text(m_hot->table.functions->name(each.function));
        const QString place = placeText(each.file, each.line);
        row.setText(RankColumn, rankText(each.rank, isTieAt(m_hot->functions, i)));
        row.setData(0, FullTextRole, name);
        row.setText(NameColumn, text(names[i]));
        row.setToolTip(NameColumn, name);
        row.setText(SelfColumn, text(model::formatShare(each.selfShare)));
        row.setData(SelfColumn, ShareRole, each.selfShare);
        row.setText(IntervalColumn, intervalText(each.selfShare95));
        row.setText(TotalColumn, text(model::formatShare(each.totalShare)));
        row.setText(PlaceColumn, place.isEmpty() ? text(m_hot->table.functions->moduleName(each.function)) : place);
        for (const int column : {SelfColumn, IntervalColumn, TotalColumn})
            row.setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        if (!current.isEmpty() && name == current)
            m_functions->setCurrentItem(&row);
    }
    m_functions->setAutoScroll(true);
}

/// A row of the paths is its node; one of the functions stands for all ways to it, and the heaviest is shown.
void HotPage::inspect(const QTreeWidgetItem *row)
{
    const model::CallTree &tree = m_hot->tree;
    if (const QVariant node = row->data(0, NodeRole); node.isValid()) {
        const model::NodeId id(node.toUInt());
        if (tree.node(id).stack.isValid())
            m_selection.setInspected(InspectedStack{tree.node(id).stack, {}, ChosenCost{m_kind, scopeOf(tree, id)}});
        return;
    }
    const int index = m_functions->indexOfTopLevelItem(const_cast<QTreeWidgetItem *>(row));
    if (index < 0 || static_cast<std::size_t>(index) >= m_hot->functions.size())
        return;
    const model::FunctionIndex &functions = *m_hot->table.functions;
    const model::FunctionId function = m_hot->functions[static_cast<std::size_t>(index)].function;
    const model::NodeId heaviest = model::heaviestNode(tree, model::stableFunction(functions, function));
    if (heaviest.isValid() && tree.node(heaviest).stack.isValid())
        m_selection.setInspected(
            InspectedStack{tree.node(heaviest).stack, {}, ChosenCost{m_kind, scopeOf(functions, function)}});
}

void HotPage::showOnItsPage(const QTreeWidgetItem *row)
{
    const QString name = row->data(0, FullTextRole).toString();
    m_selection.setInspected(std::nullopt); // what was chosen before is not meant
    inspect(row);
    m_selection.setFindText(NameNeedle::exactly(name));
    if (const std::optional<InspectedStack> chosen = m_selection.inspected())
        Q_EMIT stackWanted(pageOf(m_kind), m_kind, *chosen);
    else
        Q_EMIT pageWanted(pageOf(m_kind), m_kind);
}

void HotPage::showMenu(const QTreeWidgetItem *row, const QPoint &globalPosition)
{
    QMenu menu(this);
    addFunctionActions(menu, m_selection, row->data(0, FullTextRole).toString());
    menu.addSeparator();
    const model::CardPage page = pageOf(m_kind);
    menu.addAction(page == model::CardPage::Heap   ? tr("Show in Heap")
            : page == model::CardPage::Cpu         ? tr("Show in CPU")
            : page == model::CardPage::SystemCalls ? tr("Show in System calls")
                                                   : tr("Show in Waits"),
        this, [this, row] { showOnItsPage(row); });
    menu.exec(globalPosition);
}

std::vector<Export> HotPage::exports()
{
    if (!m_shownSnapshot || !m_hot)
        return {};
    return {{QStringLiteral("hot-functions"), tr("Functions"), {},
        [snapshot = m_shownSnapshot, kind = m_kind](std::ostream &out) { model::writeHotCsv(out, *snapshot, kind); }}};
}

} // namespace ui
