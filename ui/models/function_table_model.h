// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_table.h"
#include "ui/models/cost_columns.h"

#include <QAbstractTableModel>

#include <string>
#include <vector>

namespace ui {

/// Functions with self and total cost, whoever called them. Columns: function, place, self, share, total.
class FunctionTableModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { NameColumn, PlaceColumn, SelfColumn, SelfShareColumn, TotalColumn, TotalShareColumn, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// `names`: how its functions read, as model::distinctNames() has them; in the order of its rows.
    void setTable(const model::FunctionTable &table, std::vector<std::string> names);
    const model::FunctionTable &table() const { return m_table; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString cellText(std::size_t position, int column) const;

    model::FunctionTable m_table;
    std::vector<std::string> m_names; ///< by row
};

} // namespace ui
