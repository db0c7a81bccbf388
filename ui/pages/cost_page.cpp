// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/cost_page.h"

#include "model/aggregate/own_code.h"
#include "model/analysis/hot_paths.h"
#include "model/base/format_counted.h"
#include "model/report/csv_report.h"
#include "model/report/distinct_names.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/models/call_tree_model.h"
#include "ui/models/expanded_rows.h"
#include "ui/models/function_table_model.h"
#include "ui/models/node_filter_model.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/function_menu.h"
#include "ui/widgets/noted_tree_view.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/thread_box.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QStackedWidget>
#include <QTreeView>

#include <algorithm>
#include <utility>

namespace ui {

namespace {

constexpr int kExportWidthPx = 1600;
/// A path is followed while a child keeps at least this share of its parent (model/analysis/hot_paths.h).
constexpr double kHotShare = 0.5;
constexpr int kBarColumnPx = 140;
constexpr int kFigureColumnPx = 84;
constexpr int kLeastIndentPx = 8;
constexpr int kMostIndentPx = 14;

bool isLive(const model::Snapshot &snapshot)
{
    return snapshot.info.state == model::SessionState::Recording || snapshot.info.state == model::SessionState::Paused;
}

} // namespace

void CostPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    m_snapshot = std::move(snapshot);
    showWhetherEmpty();
    if (isOther)
        forgetSession();
    if (!m_snapshot) {
        m_job->cancel();
        return;
    }
    // A live session brings the next snapshot before a long job ends: let it end.
    const bool isSameView = m_shownSnapshot && m_shownSnapshot->selection == m_snapshot->selection
        && m_shownSnapshot->file == m_snapshot->file;
    if (!m_job->isRunning() || !isSameView)
        rebuild();
    showThreads();
    Q_EMIT subtitleChanged();
}

/// Rows of another session are others, whatever they are called.
void CostPage::forgetSession()
{
    m_isFitted = false;
    m_wantsHotPath = true;
    m_isOtherTree = true;
    m_chosen.reset();
    m_wanted.reset();
    m_flame->setSelected({});
    selectRow(*m_treeView, {});
    selectRow(*m_functionView, {});
}

/// What cannot be chosen says why; another cost can be, where it has something to show.
void CostPage::showWhetherEmpty()
{
    const QString empty = m_snapshot ? emptyText(*m_snapshot) : QString();
    m_empty->setWords(empty);
    m_stack->setCurrentIndex(empty.isEmpty() && m_snapshot ? 0 : 1);
    const bool canChoose = empty.isEmpty() || hasOtherCosts();
    const QString why = canChoose ? QString() : empty.section(u'\n', 0, 0);
    for (QAbstractButton *button : m_costButtons->buttons()) {
        button->setEnabled(canChoose);
        button->setToolTip(why);
    }
    m_costList->setEnabled(canChoose);
    m_costList->setToolTip(why);
    for (QAbstractButton *button : m_orderButtons->buttons())
        button->setEnabled(empty.isEmpty());
    m_filter->setEnabled(empty.isEmpty());
}

bool CostPage::hasOtherCosts()
{
    const model::CostKind shown = m_kind;
    const bool has = std::any_of(m_costs.begin(), m_costs.end(), [this](const Choice &choice) {
        m_kind = choice.kind; // what emptyText() is about
        return emptyText(*m_snapshot).isEmpty();
    });
    m_kind = shown;
    return has;
}

QString CostPage::subtitle() const
{
    if (!m_snapshot || !emptyText(*m_snapshot).isEmpty())
        return {};
    // The heading says already what a page with one cost, or of its own name, is about.
    const QString label = text(model::costInfo(m_kind).label);
    const bool isSaid = m_costs.size() == 1 || label == title();
    QStringList parts;
    if (!isSaid)
        parts << label.left(1).toLower() + label.mid(1);
    if (m_snapshot->selection.time)
        parts << timeText(*m_snapshot, *m_snapshot->selection.time);
    const QString shown = (parts << wholeText(*m_snapshot)).join(QStringLiteral(" · "));
    // Of what is shown: a tree has functions too that cost something else than what the table is about.
    const NodeFilterModel &rows = m_order == Order::Functions ? *m_functionFilter : *m_treeFilter;
    const NameNeedle needle(m_selection.findText());
    const bool findsNothing = !needle.isEmpty() && rows.rowCount() == 0;
    return findsNothing ? tr("%1 · no function here matches “%2”").arg(shown, needle.name()) : shown;
}

void CostPage::showCost(model::CostKind kind)
{
    m_kind = kind;
    for (std::size_t i = 0; i < m_costs.size(); ++i) {
        if (m_costs[i].kind != kind)
            continue;
        m_costButtons->button(static_cast<int>(i))->setChecked(true);
        m_costList->setCurrentIndex(static_cast<int>(i));
    }
    m_wantsHotPath = true;
    m_isOtherTree = true;
    m_isFitted = false; // its headings are others
    showWhetherEmpty();
    showThreads();
    rebuild();
    Q_EMIT subtitleChanged();
}

void CostPage::showThreads()
{
    if (m_threads != nullptr && m_snapshot)
        m_threads->showThreads(*m_snapshot, m_kind);
}

void CostPage::openAt(model::CostKind kind)
{
    const auto shows = [kind](const Choice &choice) {
        const std::vector<model::CostKind> kinds = costViewFor(choice.kind).kinds;
        return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    };
    auto found
        = std::find_if(m_costs.begin(), m_costs.end(), [kind](const Choice &choice) { return choice.kind == kind; });
    if (found == m_costs.end())
        found = std::find_if(m_costs.begin(), m_costs.end(), shows); // beside another one
    if (found != m_costs.end() && found->kind != m_kind)
        showCost(found->kind);
}

void CostPage::rebuild()
{
    if (!m_snapshot)
        return;
    CostView view = costViewFor(m_kind);
    // Bottom up the first rows are what functions cost by themselves, and the others who called them.
    if (m_order == Order::CallersFirst)
        std::erase_if(view.columns, [](const CostColumn &column) { return column.part == CostPart::Self; });
    m_job->run([snapshot = m_snapshot, view, order = m_order](
                   std::stop_token stop) { return compute(*snapshot, view, order, stop); },
        [this, snapshot = m_snapshot, view](Result result) {
            m_shownSnapshot = snapshot;
            m_view = view;
            show(std::move(result));
            Q_EMIT settled();
            if (m_snapshot != m_shownSnapshot && m_snapshot)
                rebuild();
        });
}

std::optional<CostPage::Result> CostPage::compute(
    const model::Snapshot &snapshot, const CostView &view, Order order, std::stop_token stop)
{
    Result result;
    auto topDown = model::callTree(snapshot, view.kinds, {}, stop);
    if (!topDown)
        return std::nullopt;
    result.topDown = std::make_shared<const model::CallTree>(std::move(*topDown));
    result.shown = result.topDown;
    if (order == Order::CallersFirst) {
        auto bottomUp = model::callTree(snapshot, view.kinds, {.order = model::TreeOrder::BottomUp}, stop);
        if (!bottomUp)
            return std::nullopt;
        result.shown = std::make_shared<const model::CallTree>(std::move(*bottomUp));
    }
    auto functions = model::functionTable(snapshot, view.kinds.front(), stop);
    if (!functions)
        return std::nullopt;
    result.functions = std::move(*functions);
    result.functionNames = model::distinctNames(model::namedRows(result.functions));
    return result;
}

void CostPage::show(Result result)
{
    m_result = std::move(result);
    m_flame->setTree(m_result.topDown, 0);
    showFlameCaption();
    showTree();
    m_functionModel->setTable(m_result.functions, m_result.functionNames);
    showChoice();
    showWanted();
    if (!m_isFitted) {
        fitColumns(m_treeView, true);
        fitColumns(m_functionView, false);
        m_isFitted = m_result.topDown->size() > 1;
    }
    Q_EMIT subtitleChanged();
}

void CostPage::showFlameCaption()
{
    const model::CallTree &tree = *m_result.topDown;
    const model::NodeId zoom = m_flame->zoom();
    const bool isZoomed = zoom != model::CallTree::root();
    QStringList words;
    if (isZoomed)
        words << tr("zoomed into %1, %2 of all")
                     .arg(text(model::shortFunctionName(tree.name(zoom))),
                         text(model::formatShareOf(tree.total(zoom), tree.all())));
    if (!m_selection.findText().isEmpty())
        words << (isZoomed ? tr("“%1” makes up %2 of that") : tr("“%1” makes up %2"))
                     .arg(NameNeedle(m_selection.findText()).name(), text(model::formatShare(m_flame->matchedShare())));
    if (words.isEmpty())
        words << tr("own code in colour; libraries, std:: and boost:: grey")
              << text(model::formatCounted(tree.stackCount(), "stack"));
    m_flameCard->setCaption(words.join(QStringLiteral(" · ")));
    m_zoomOut->setVisible(isZoomed);
}

void CostPage::showTree()
{
    const QScopedValueRollback arranging(m_isArranging, true);
    ExpandedRows expanded;
    expanded.save(*m_treeView);
    {
        const QSignalBlocker blocker(m_treeView->selectionModel());
        m_treeModel->setTree(m_result.shown, m_view);
        openRenamed(expanded.restore(*m_treeView));
    }
    if (std::exchange(m_isOtherTree, false)) {
        m_isOtherThanFound = m_beforeFind.has_value();
        m_deepest = 0;
        fitIndentation();
        m_treeView->scrollToTop();
        if (const QString &needle = m_selection.findText(); !needle.isEmpty()) {
            m_wantsHotPath = false;
            expandHits(needle);
        }
    }
    if (!expanded.isEmpty() && !hasOpenRow())
        m_wantsHotPath = true; // nothing of what was open is there any more
    if (m_wantsHotPath && m_selection.findText().isEmpty() && m_result.shown->size() > 1)
        openHotPath();
}

/// The first snapshots of a recording hold too little to tell, and few names: until somebody takes the tree in hand, each is opened anew.
void CostPage::openHotPath()
{
    m_wantsHotPath = !isVisible() || (m_snapshot && isLive(*m_snapshot));
    expandHotPath();
}

bool CostPage::hasOpenRow() const
{
    for (int row = 0; row < m_treeFilter->rowCount(); ++row)
        if (m_treeView->isExpanded(m_treeFilter->index(row, 0)))
            return true;
    return false;
}

/// Code gets its names while the program runs: what was open as an address stays open as the function that it is in.
void CostPage::openRenamed(const std::vector<model::StackId> &stacks)
{
    if (stacks.empty() || m_result.shown->order() != model::TreeOrder::TopDown)
        return;
    const auto tables = m_result.shown->functions().tables();
    model::FunctionIndex functions(tables);
    for (const model::StackId stack : stacks) {
        if (stack.index() >= tables->stacks.size())
            continue; // of another session
        const QModelIndex row = rowOf(model::nodeOf(*m_result.shown, model::pathOf(functions, stack)));
        openWayTo(row);
        if (row.isValid())
            m_treeView->setExpanded(row, true);
    }
}

/// Callers that everything shares say nothing: what is open reaches down to where the cost divides, and beyond it as far as
/// can be seen at once. Deeper than names have room nothing is opened.
void CostPage::expandHotPath()
{
    constexpr int kUsualRows = 5; // until somebody looks: what is open indents all
    constexpr int kMostCallersInSight = 3;
    const QScopedValueRollback arranging(m_isArranging, true);
    const model::CallTree &tree = *m_result.shown;
    const int rowHeight = std::max(m_treeView->visualRect(m_treeFilter->index(0, 0)).height(), 1);
    const int rows = isVisible() ? m_treeView->viewport()->height() / rowHeight : kUsualRows;
    const std::vector<model::NodeId> way = model::heaviestWay(tree, kHotShare);
    const int deepest = isVisible() ? levelsWithRoom() : kUsualRows;
    const int dividing = std::min(static_cast<int>(model::firstDividing(tree, way)), deepest);
    const int top = dividing < rows / 2 ? 0 : dividing - std::clamp(rows / 3, 1, kMostCallersInSight);
    const int last = std::min({std::max(dividing, top + rows - 2), deepest, static_cast<int>(way.size()) - 1});
    for (int i = 0; i <= last; ++i)
        m_treeView->setExpanded(rowOf(way[static_cast<std::size_t>(i)]), true);
    m_opensWhenSeen = !isVisible();
    if (isVisible() && !way.empty()) {
        m_treeView->selectionModel()->setCurrentIndex(rowOf(way[static_cast<std::size_t>(std::min(dividing, last))]),
            QItemSelectionModel::NoUpdate); // the keys begin there
        m_treeView->scrollTo(
            rowOf(way[static_cast<std::size_t>(std::min(top, last))]), QAbstractItemView::PositionAtTop);
        m_treeView->horizontalScrollBar()->setValue(0);
        showHotPathInFlame();
    }
    m_treeView->viewport()->update();
}

/// Down to where it leaves own code; what was chosen comes first.
void CostPage::showHotPathInFlame()
{
    const model::CallTree &tree = *m_result.topDown;
    const std::vector<model::NodeId> way = model::heaviestWay(tree, kHotShare);
    const auto isOwn = [&tree](model::NodeId node) {
        const model::FunctionId function = tree.node(node).function;
        return model::isOwnCode(tree.functions(), function) && !model::isTracerCode(tree.functions(), function)
            && !model::isAllocator(tree.name(node));
    };
    const auto own = std::find_if(way.rbegin(), way.rend(), isOwn);
    if (m_chosen)
        m_flame->bringIntoSight(m_flame->selected());
    else if (own != way.rend())
        m_flame->bringIntoSight(*own);
}

QModelIndex CostPage::rowOf(model::NodeId node) const
{
    return m_treeFilter->mapFromSource(m_treeModel->indexOf(node));
}

/// Somebody opens, closes, scrolls or chooses: from here on nothing moves by itself.
void CostPage::takeInHand()
{
    if (!m_isArranging)
        m_wantsHotPath = false;
}

void CostPage::noteDepth(QModelIndex opened)
{
    int depth = 1;
    for (; opened.isValid(); opened = opened.parent())
        ++depth;
    if (depth <= m_deepest)
        return;
    m_deepest = depth;
    fitIndentation();
}

/// Stacks are deep: the deeper what was opened, the less it is indented, so that names are read.
void CostPage::fitIndentation()
{
    const int room = m_treeView->columnWidth(0) - kLeastNamePx;
    m_treeView->setIndentation(std::clamp(room / std::max(m_deepest, 1), kLeastIndentPx, kMostIndentPx));
}

int CostPage::levelsWithRoom() const
{
    return std::max((m_treeView->columnWidth(0) - kLeastNamePx) / kLeastIndentPx, 1);
}

void CostPage::fitColumns(QTreeView *view, bool isTree)
{
    QHeaderView *header = view->header();
    for (int column = 1; column < header->count(); ++column) {
        header->setSectionHidden(column, false); // a hidden one is not measured
        const bool hasBar = isTree
            ? column == 1
            : column == FunctionTableModel::SelfColumn || column == FunctionTableModel::TotalColumn;
        view->resizeColumnToContents(column);
        header->resizeSection(column, std::max(header->sectionSize(column), hasBar ? kBarColumnPx : kFigureColumnPx));
    }
    header->setSectionResizeMode(0, QHeaderView::Stretch);
    showColumnsThatFit(view);
}

void CostPage::showCallers(const QModelIndex &ofFunction)
{
    m_flame->setFocus(Qt::OtherFocusReason); // a tree that gets the focus selects its first row
    m_selection.setFindText(NameNeedle::exactly(ofFunction.siblingAtColumn(0).data(FullTextRole).toString()));
    m_orderButtons->button(static_cast<int>(Order::CallersFirst))->click();
}

void CostPage::addZoomActions(QMenu &menu, model::NodeId node)
{
    menu.addAction(tr("Zoom into this function"), this, [this, node] { m_flame->zoomTo(node); })
        ->setEnabled(node.isValid() && node != m_flame->zoom());
    const bool isZoomed = m_flame->zoom() != model::CallTree::root();
    menu.addAction(tr("Zoom back"), this, [this] { m_flame->zoomBack(); })->setEnabled(isZoomed);
    menu.addAction(tr("Whole graph"), this, [this] { m_flame->zoomOut(); })->setEnabled(isZoomed);
    menu.addSeparator();
}

void CostPage::showMenu(const QString &name, model::NodeId inFlame, const QPoint &globalPosition)
{
    QMenu menu(this);
    addZoomActions(menu, inFlame);
    addFunctionActions(menu, m_selection, name);
    menu.addSeparator();
    if (m_order != Order::Functions) {
        menu.addAction(tr("Expand all below"), this,
                [this] {
                    constexpr int kMostLevels = 64;
                    m_treeView->expandRecursively(m_treeView->currentIndex(), kMostLevels);
                    takeInHand();
                })
            ->setEnabled(m_treeView->currentIndex().isValid());
        menu.addAction(tr("Collapse all"), this, [this] {
            m_treeView->collapseAll();
            takeInHand();
        });
        menu.addSeparator();
    }
    // As the buttons are called.
    for (QAbstractButton *button : m_orderButtons->buttons())
        if (!button->isChecked())
            menu.addAction(button->text(), button, &QAbstractButton::click);
    menu.exec(globalPosition);
}

Export CostPage::flameExport(const QString &name) const
{
    return {name + QStringLiteral("-flame-graph"), tr("Flame graph"), [this] { return m_flame->image(kExportWidthPx); },
        {}};
}

Export CostPage::tableExport()
{
    const QString wanted = m_order == Order::Functions ? QStringLiteral("-functions") : QStringLiteral("-call-tree");
    for (Export &what : exports())
        if (what.name.endsWith(wanted))
            return std::move(what);
    return {};
}

std::vector<Export> CostPage::exports()
{
    if (!m_shownSnapshot || !m_result.topDown || !emptyText(*m_shownSnapshot).isEmpty())
        return {};
    const QString name = key() + u'-' + text(model::costInfo(m_kind).key).replace(u'_', u'-');
    std::vector<Export> all;
    all.push_back(flameExport(name));
    all.push_back({name + QStringLiteral("-call-tree"), tr("Call tree"), {},
        [tree = m_result.shown](std::ostream &out) { model::writeCallTreeCsv(out, *tree); }});
    all.push_back({name + QStringLiteral("-functions"), tr("Functions"), {},
        [table = m_result.functions](std::ostream &out) { model::writeFunctionsCsv(out, table); }});
    all.push_back({name + QStringLiteral("-stacks"), tr("Stacks"), {},
        [this, snapshot = m_shownSnapshot](std::ostream &out) { writeStacks(out, *snapshot); }});
    return all;
}

} // namespace ui
