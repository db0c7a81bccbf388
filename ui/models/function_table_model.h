// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_table.h"
#include "ui/models/cost_columns.h"

#include <QAbstractTableModel>

namespace ui {

/// Functions with self and total cost, whoever called them. Columns: function, place, self, share, total.
class FunctionTableModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { NameColumn, PlaceColumn, SelfColumn, SelfShareColumn, TotalColumn, TotalShareColumn, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    void setTable(const model::FunctionTable &table);
    const model::FunctionTable &table() const { return m_table; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString cellText(const model::FunctionCost &row, int column) const;

    model::FunctionTable m_table;
};

} // namespace ui
