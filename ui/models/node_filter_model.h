// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cost_columns.h"
#include "ui/models/name_needle.h"

#include <QFont>
#include <QSortFilterProxyModel>

namespace ui {

/// Sorts a model of costs by its SortRole and keeps the rows whose whole name is what a search asks for, with all that leads to them.
class NodeFilterModel : public QSortFilterProxyModel
{
    Q_OBJECT

public:
    explicit NodeFilterModel(QObject *parent = nullptr)
        : QSortFilterProxyModel(parent)
    {
        setSortRole(SortRole);
        setRecursiveFilteringEnabled(true);
    }

    /// In place of the base class's: a search as NameNeedle reads it.
    void setFilterFixedString(const QString &search)
    {
        m_needle = NameNeedle(search);
        invalidateFilter();
    }

    /// What was searched for is told from what only leads to it.
    QVariant data(const QModelIndex &index, int role) const override
    {
        if (role == Qt::FontRole && index.column() == 0 && !m_needle.isEmpty()
            && m_needle.matches(QSortFilterProxyModel::data(index, FullTextRole).toString())) {
            QFont font;
            font.setBold(true);
            return font;
        }
        return QSortFilterProxyModel::data(index, role);
    }

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override
    {
        return m_needle.isEmpty()
            || m_needle.matches(sourceModel()->index(row, 0, parent).data(FullTextRole).toString());
    }

private:
    NameNeedle m_needle;
};

} // namespace ui
