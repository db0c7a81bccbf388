// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/copy_menu.h"

#include <QAbstractItemView>
#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QMenu>
#include <QStringList>
#include <QTableView>
#include <QTreeView>

namespace ui {

namespace {

const QHeaderView *headerOf(const QAbstractItemView &view)
{
    if (const auto *tree = qobject_cast<const QTreeView *>(&view))
        return tree->header();
    const auto *table = qobject_cast<const QTableView *>(&view);
    return table ? table->horizontalHeader() : nullptr;
}

/// The sections that are shown, as they stand.
QList<int> columnsOf(const QAbstractItemView &view)
{
    QList<int> columns;
    const QHeaderView *header = headerOf(view);
    for (int place = 0; header && place < header->count(); ++place)
        if (const int column = header->logicalIndex(place); !header->isSectionHidden(column))
            columns.append(column);
    return columns;
}

QString cellText(const QVariant &value) { return value.toString().simplified(); }

QString rowText(const QAbstractItemView &view, const QModelIndex &row)
{
    QStringList cells;
    for (const int column : columnsOf(view))
        cells.append(cellText(row.siblingAtColumn(column).data()));
    return cells.join(u'\t');
}

void addRows(const QAbstractItemView &view, const QModelIndex &parent, QStringList &rows)
{
    const auto *tree = qobject_cast<const QTreeView *>(&view);
    const auto *table = qobject_cast<const QTableView *>(&view);
    for (int i = 0; i < view.model()->rowCount(parent); ++i) {
        if ((tree && tree->isRowHidden(i, parent)) || (table && table->isRowHidden(i)))
            continue;
        const QModelIndex row = view.model()->index(i, 0, parent);
        rows.append(rowText(view, row));
        if (tree && tree->isExpanded(row))
            addRows(view, row, rows);
    }
}

} // namespace

QString tableText(const QAbstractItemView &view)
{
    QStringList headings, rows;
    for (const int column : columnsOf(view))
        headings.append(cellText(view.model()->headerData(column, Qt::Horizontal)));
    rows.append(headings.join(u'\t'));
    addRows(view, view.rootIndex(), rows);
    return rows.join(u'\n') + u'\n';
}

void addCopyMenu(QAbstractItemView &view)
{
    auto *row = new QAction(QAbstractItemView::tr("Copy row"), &view);
    auto *table = new QAction(QAbstractItemView::tr("Copy table"), &view);
    row->setShortcut(QKeySequence::Copy);
    row->setShortcutContext(Qt::WidgetShortcut);
    QObject::connect(row, &QAction::triggered, &view, [&view] {
        if (const QModelIndex current = view.currentIndex();
            current.isValid() && view.selectionModel()->isRowSelected(current.row(), current.parent()))
            QGuiApplication::clipboard()->setText(rowText(view, current));
    });
    QObject::connect(
        table, &QAction::triggered, &view, [&view] { QGuiApplication::clipboard()->setText(tableText(view)); });
    view.addActions({row, table});
    view.setContextMenuPolicy(Qt::ActionsContextMenu);
}

} // namespace ui
