// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cost_columns.h"

#include <QFont>
#include <QRegularExpression>
#include <QSortFilterProxyModel>

namespace ui {

/// Sorts a model of costs by its SortRole and keeps the rows whose whole name contains a text, with all that leads to them.
class NodeFilterModel : public QSortFilterProxyModel
{
    Q_OBJECT

public:
    explicit NodeFilterModel(QObject *parent = nullptr)
        : QSortFilterProxyModel(parent)
    {
        setSortRole(SortRole);
        setFilterRole(FullTextRole);
        setFilterKeyColumn(0);
        setFilterCaseSensitivity(Qt::CaseInsensitive);
        setRecursiveFilteringEnabled(true);
    }

    /// What was searched for is told from what only leads to it.
    QVariant data(const QModelIndex &index, int role) const override
    {
        const QString needle = filterRegularExpression().pattern();
        if (role == Qt::FontRole && index.column() == 0 && !needle.isEmpty()
            && QSortFilterProxyModel::data(index, FullTextRole).toString().contains(filterRegularExpression())) {
            QFont font;
            font.setBold(true);
            return font;
        }
        return QSortFilterProxyModel::data(index, role);
    }
};

} // namespace ui
