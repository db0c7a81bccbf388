// SPDX-License-Identifier: GPL-3.0-or-later
// What is chosen on a CostPage, the same in its graph and its table; the rest stands in cost_page.cpp.
#include "model/aggregate/own_code.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/models/call_tree_model.h"
#include "ui/models/function_table_model.h"
#include "ui/models/node_filter_model.h"
#include "ui/pages/cost_page.h"
#include "ui/widgets/noted_tree_view.h"

#include <QButtonGroup>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QTreeView>

#include <algorithm>
#include <utility>

namespace ui {

InspectedStack CostPage::choiceOf(model::NodeId node, const model::CallTree &tree) const
{
    return {tree.node(node).stack, {}, ChosenCost{m_view.kinds.front(), model::scopeOf(tree, node)}};
}

void CostPage::choose(InspectedStack what)
{
    takeInHand();
    m_chosen = std::move(what);
    showChoice();
    m_flame->showNode(m_flame->selected());
    m_selection.setInspected(m_chosen->stack.isValid() ? m_chosen : std::nullopt);
}

void CostPage::chooseNothing()
{
    m_chosen.reset();
    showChoice();
}

/// Where the choice is not among what is shown, nothing is selected: not what leads to it either.
void CostPage::showChoice()
{
    const model::NodeId node = m_chosen ? nodeFor(*m_chosen) : model::NodeId();
    if (m_chosen || m_flame->selected() != model::CallTree::root()) // the box of everything has no row
        m_flame->setSelected(node);
    const QModelIndex row = chosenTreeRow(node);
    if (row.isValid() && !std::exchange(m_isChoiceThere, row.isValid()))
        openWayTo(row);
    m_isChoiceThere = row.isValid();
    selectRow(*m_treeView, row);
    selectRow(*m_functionView, chosenFunctionRow(node));
}

/// Of a stack by itself, its named function.
model::NodeId CostPage::nodeFor(const InspectedStack &what) const
{
    if (!m_result.topDown)
        return {};
    const model::CallTree &tree = *m_result.topDown;
    if (what.chosen)
        if (const model::NodeId node = model::nodeOf(tree, what.chosen->scope); node.isValid())
            return node;
    if (!what.stack.isValid() || what.stack.index() >= tree.functions().tables()->stacks.size())
        return {};
    model::FunctionIndex functions(tree.functions().tables());
    if (!what.chosen) {
        const std::size_t line = model::namedPosition(functions, model::stackLines(functions, what.stack));
        return model::nodeOf(tree, model::pathOf(functions, what.stack, line));
    }
    // A caller of the tree's other order, or a function that has got its name since: where its heaviest stack leads.
    const model::StackScope &scope = what.chosen->scope;
    const std::size_t line = scope.kind == model::StackScope::Kind::FromLeaf ? scope.functions.size() - 1 : 0;
    return model::nodeOf(tree, model::pathOf(functions, what.stack, line));
}

QModelIndex CostPage::chosenTreeRow(model::NodeId inFlame) const
{
    if (!m_chosen || !m_result.shown)
        return {};
    const bool isOfFlame = m_result.shown == m_result.topDown;
    return rowOf(isOfFlame ? inFlame : model::nodeOf(*m_result.shown, m_chosen->chosen->scope));
}

QModelIndex CostPage::chosenFunctionRow(model::NodeId inFlame) const
{
    if (!inFlame.isValid() || m_chosen->chosen->scope.kind != model::StackScope::Kind::Anywhere)
        return {};
    const model::CallTree &tree = *m_result.topDown;
    const model::FunctionTable &table = m_functionModel->table();
    const model::Function function = model::stableFunction(tree.functions(), tree.node(inFlame).function);
    const auto found = std::find_if(table.rows.begin(), table.rows.end(), [&](const model::FunctionCost &row) {
        return model::stableFunction(*table.functions, row.function) == function;
    });
    if (found == table.rows.end())
        return {};
    return m_functionFilter->mapFromSource(m_functionModel->index(static_cast<int>(found - table.rows.begin()), 0));
}

/// A stack is read from its callers on.
void CostPage::showStack(const InspectedStack &stack)
{
    m_wanted = stack;
    if (m_order != Order::CalleesFirst)
        m_orderButtons->button(static_cast<int>(Order::CalleesFirst))->click();
    takeKeys();
    showWanted();
}

void CostPage::showEvent(QShowEvent *event)
{
    Page::showEvent(event);
    showWanted();
}

/// What is chosen is shown by the inspector, so it waits for whoever has left the page in the meantime.
void CostPage::showWanted()
{
    if (!m_wanted || m_job->isRunning() || !isVisible())
        return;
    if (const model::NodeId node = nodeFor(*m_wanted); node.isValid())
        showRowOf(node);
    else if (m_shownSnapshot != m_snapshot)
        return; // a newer one follows
    m_wanted.reset();
}

void CostPage::showRowOf(model::NodeId node)
{
    const QScopedValueRollback arranging(m_isArranging, true);
    m_wantsHotPath = false;
    m_opensWhenSeen = false;
    if (!rowOf(node).isValid())
        m_selection.setFindText({}); // what is searched for leaves it out
    openWayTo(rowOf(node));
    m_treeView->setExpanded(rowOf(node), true);
    if (!m_flame->isInZoom(node))
        m_flame->zoomOut();
    choose(choiceOf(node, *m_result.topDown));
    m_treeView->scrollTo(rowOf(node), QAbstractItemView::PositionAtCenter);
    m_treeView->horizontalScrollBar()->setValue(0);
}

void CostPage::openWayTo(QModelIndex row)
{
    const QScopedValueRollback arranging(m_isArranging, true);
    while ((row = row.parent()).isValid())
        m_treeView->setExpanded(row, true);
}

QModelIndex CostPage::chosenRow(const QTreeView &view)
{
    const QModelIndexList rows = view.selectionModel()->selectedRows();
    return rows.isEmpty() ? QModelIndex() : rows.front();
}

/// As chosen already: nobody is told.
void CostPage::selectRow(QTreeView &view, const QModelIndex &row)
{
    QItemSelectionModel &rows = *view.selectionModel();
    const QSignalBlocker blocker(rows);
    if (!row.isValid())
        rows.clearSelection();
    else if (!rows.isRowSelected(row.row(), row.parent()))
        rows.setCurrentIndex(row, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    view.viewport()->update();
}

void CostPage::treeSelectionChanged()
{
    const QModelIndex index = m_treeFilter->mapToSource(chosenRow(*m_treeView));
    if (!index.isValid()) // where the focus arrives is no choice
        return chooseNothing();
    choose(choiceOf(m_treeModel->nodeAt(index), m_treeModel->tree()));
}

/// The heaviest of the ways on which the function was reached stands for them.
void CostPage::functionSelectionChanged()
{
    const QModelIndex index = m_functionFilter->mapToSource(chosenRow(*m_functionView));
    if (!index.isValid())
        return chooseNothing();
    const model::FunctionTable &table = m_functionModel->table();
    const model::FunctionCost &row = table.rows.at(static_cast<std::size_t>(index.row()));
    const model::CallTree &tree = *m_result.topDown;
    const model::NodeId heaviest = model::heaviestNode(tree, model::stableFunction(*table.functions, row.function));
    if (heaviest.isValid())
        choose({tree.node(heaviest).stack, {},
            ChosenCost{m_view.kinds.front(), model::scopeOf(*table.functions, row.function)}});
}

void CostPage::flameSelectionChanged(model::NodeId node)
{
    if (node == model::CallTree::root()) {
        chooseNothing();
        m_selection.setInspected(std::nullopt);
        return;
    }
    choose(choiceOf(node, *m_result.topDown));
    if (const QModelIndex row = chosenRow(*m_treeView); row.isValid())
        m_treeView->scrollTo(row);
}

} // namespace ui
