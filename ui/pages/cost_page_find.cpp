// SPDX-License-Identifier: GPL-3.0-or-later
// What a CostPage does with a search; the rest stands in cost_page.cpp.
#include "ui/charts/flame_graph_view.h"
#include "ui/models/call_tree_model.h"
#include "ui/models/name_needle.h"
#include "ui/models/node_filter_model.h"
#include "ui/pages/cost_page.h"
#include "ui/text.h"
#include "ui/widgets/noted_tree_view.h"
#include "ui/widgets/search_field.h"

#include <QScopedValueRollback>
#include <QScrollBar>
#include <QTreeView>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace ui {

void CostPage::takeKeys()
{
    (m_order == Order::Functions ? m_functionView : m_treeView)->setFocus(Qt::ShortcutFocusReason);
}

/// Leaves out rows and chooses none: where the chosen one goes, a view would select its neighbour.
void CostPage::filterRows(QTreeView &view, NodeFilterModel &filter, const QString &needle)
{
    QItemSelectionModel &rows = *view.selectionModel();
    const QPersistentModelIndex chosen(filter.mapToSource(chosenRow(view)));
    const QPersistentModelIndex current(filter.mapToSource(view.currentIndex()));
    const QSignalBlocker blocker(rows);
    filter.setFilterFixedString(needle);
    rows.clear();
    const auto take = [&](const QModelIndex &ofSource, QItemSelectionModel::SelectionFlags how) {
        if (const QModelIndex row = filter.mapFromSource(ofSource); row.isValid())
            rows.setCurrentIndex(row, how);
    };
    take(chosen, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    take(current, QItemSelectionModel::NoUpdate);
    view.viewport()->update();
}

void CostPage::applyFind(const QString &needle)
{
    if (!needle.isEmpty() && !m_beforeFind) {
        m_beforeFind.emplace().save(*m_treeView);
        m_isOtherThanFound = false;
    }
    m_flame->setSearch(needle);
    filterRows(*m_treeView, *m_treeFilter, needle);
    filterRows(*m_functionView, *m_functionFilter, needle);
    if (needle.isEmpty())
        showAsBeforeFind();
    expandHits(needle);
    const NameNeedle wanted(needle);
    for (NotedTreeView *view : {m_treeView, m_functionView})
        view->setNote(wanted.isEmpty() ? QString() : tr("No function here matches “%1”.").arg(wanted.name()));
    showChoice();
    if (m_result.topDown)
        showFlameCaption();
    if (m_filter->text() != needle)
        m_filter->setText(needle);
    Q_EMIT subtitleChanged();
}

/// What was open when the search began; the hot path where the tree has become another since.
void CostPage::showAsBeforeFind()
{
    const std::optional<ExpandedRows> before = std::exchange(m_beforeFind, std::nullopt);
    if (!before || !m_result.shown)
        return;
    const QScopedValueRollback arranging(m_isArranging, true);
    QItemSelectionModel &rows = *m_treeView->selectionModel();
    const QSignalBlocker blocker(rows);
    const QPersistentModelIndex chosen(chosenRow(*m_treeView));
    rows.clear();
    m_treeView->collapseAll();
    if (m_isOtherThanFound)
        expandHotPath();
    else
        before->restore(*m_treeView);
    if (chosen.isValid()) { // among what was found
        rows.setCurrentIndex(chosen, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        m_treeView->scrollTo(chosen);
    }
    m_treeView->viewport()->update();
}

/// Opens the ways to what was found, as far as somebody may read them, and brings the heaviest into sight.
void CostPage::expandHits(const QString &needle)
{
    constexpr std::size_t kMostHits = 50;
    if (needle.isEmpty() || !m_result.shown)
        return;
    const QScopedValueRollback arranging(m_isArranging, true);
    const model::CallTree &tree = *m_result.shown;
    const NameNeedle wanted(needle);
    std::vector<model::NodeId> hits;
    std::unordered_map<std::uint32_t, bool> isHit; // by function: a tree has far more nodes
    for (std::size_t i = 1; i < tree.size(); ++i) {
        const model::NodeId node(i);
        const auto [known, isNew] = isHit.try_emplace(tree.node(node).function.value, false);
        if (isNew)
            known->second = wanted.matches(text(tree.name(node)));
        if (known->second)
            hits.push_back(node);
    }
    const auto isHeavier = [&tree](model::NodeId a, model::NodeId b) { return tree.total(a) > tree.total(b); };
    std::stable_sort(hits.begin(), hits.end(), isHeavier);
    hits.resize(std::min(hits.size(), kMostHits));
    m_treeView->collapseAll();
    for (const model::NodeId hit : hits)
        for (model::NodeId above = tree.node(hit).parent; above.isValid() && above != model::CallTree::root();
             above = tree.node(above).parent)
            m_treeView->setExpanded(m_treeFilter->mapFromSource(m_treeModel->indexOf(above)), true);
    m_opensWhenSeen = false;
    if (!hits.empty()) {
        const QModelIndex first = m_treeFilter->mapFromSource(m_treeModel->indexOf(hits.front()));
        m_treeView->selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate); // the keys begin there
        m_treeView->scrollTo(first);
    }
    m_treeView->horizontalScrollBar()->setValue(0);
}

} // namespace ui
