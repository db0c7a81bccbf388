// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/difference_columns.h"

#include <QAbstractTableModel>

#include <memory>

namespace ui {

/// The totals of two sessions by every cost, in the order of the comparison. Columns: cost, those of differences, what is not matched.
class TotalDifferenceModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { CostColumn, FirstColumn, UnmatchedColumn = FirstColumn + kDifferenceColumns, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// Null: none.
    void setCompared(std::shared_ptr<const model::ComparedSessions> compared);

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::shared_ptr<const model::ComparedSessions> m_compared;
};

} // namespace ui
