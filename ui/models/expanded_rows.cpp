// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/expanded_rows.h"

#include "ui/models/cost_columns.h"

#include <QScrollBar>
#include <QTreeView>
#include <QVariant>

#include <utility>

namespace ui {

namespace {

QString pathOf(const QString &above, const QModelIndex &index)
{
    return above + u'\n' + index.data(FullTextRole).toString();
}

QString wholePathOf(const QModelIndex &index)
{
    return index.isValid() ? pathOf(wholePathOf(index.parent()), index.siblingAtColumn(0)) : QString();
}

void collect(const QTreeView &view, const QModelIndex &parent, const QString &above, QHash<QString, QVariant> &paths)
{
    for (int row = 0; row < view.model()->rowCount(parent); ++row) {
        const QModelIndex index = view.model()->index(row, 0, parent);
        if (!view.isExpanded(index))
            continue;
        const QString path = pathOf(above, index);
        paths.insert(path, index.data(StackRole));
        collect(view, index, path, paths);
    }
}

/// Takes what it opens out of `paths`.
void open(QTreeView &view, const QModelIndex &parent, const QString &above, QHash<QString, QVariant> &paths)
{
    for (int row = 0; row < view.model()->rowCount(parent); ++row) {
        const QModelIndex index = view.model()->index(row, 0, parent);
        const QString path = pathOf(above, index);
        if (paths.remove(path) == 0)
            continue;
        view.setExpanded(index, true);
        open(view, index, path, paths);
    }
}

QModelIndex find(
    const QAbstractItemModel &model, const QModelIndex &parent, const QString &above, const QString &wanted)
{
    for (int row = 0; row < model.rowCount(parent); ++row) {
        const QModelIndex index = model.index(row, 0, parent);
        const QString path = pathOf(above, index);
        if (path == wanted)
            return index;
        if (wanted.startsWith(path + u'\n'))
            return find(model, index, path, wanted);
    }
    return {};
}

} // namespace

void ExpandedRows::save(const QTreeView &view)
{
    m_paths.clear();
    collect(view, {}, {}, m_paths);
    m_current = wholePathOf(view.currentIndex());
    m_isChosen = view.selectionModel()->isSelected(view.currentIndex());
    m_scroll = view.verticalScrollBar()->value();
}

std::vector<model::StackId> ExpandedRows::restore(QTreeView &view) const
{
    QHash<QString, QVariant> left = m_paths;
    open(view, {}, {}, left);
    if (!m_current.isEmpty()) {
        const QModelIndex current = find(*view.model(), {}, {}, m_current);
        if (current.isValid())
            view.selectionModel()->setCurrentIndex(current,
                m_isChosen ? QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows
                           : QItemSelectionModel::NoUpdate);
    }
    view.verticalScrollBar()->setValue(m_scroll);
    std::vector<model::StackId> stacks;
    for (const QVariant &stack : std::as_const(left))
        if (stack.isValid())
            stacks.emplace_back(stack.toUInt());
    return stacks;
}

} // namespace ui
