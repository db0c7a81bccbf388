// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cost_columns.h"

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
};

} // namespace ui
