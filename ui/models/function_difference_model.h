// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/cost_columns.h"
#include "ui/models/difference_columns.h"

#include <QAbstractTableModel>

#include <memory>
#include <string>
#include <vector>

namespace ui {

/// The functions of one compared cost, in the order of the comparison. Columns: function, place, those of differences.
class FunctionDifferenceModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { NameColumn, PlaceColumn, FirstColumn, ColumnCount = FirstColumn + kDifferenceColumns };

    using QAbstractTableModel::QAbstractTableModel;

    /// Shows the cost number `cost` of `compared`, by what functions cost themselves or with all that they call; null: none.
    void setCost(std::shared_ptr<const model::ComparedSessions> compared, std::size_t cost, CostPart part);

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    const model::Comparison &comparison() const { return m_compared->costs[m_cost].comparison; }
    const model::Difference &differenceOf(const model::FunctionDifference &row) const;
    std::string placeOf(const model::FunctionDifference &row) const;
    QVariant nameData(std::size_t position, int role) const;

    std::shared_ptr<const model::ComparedSessions> m_compared;
    std::size_t m_cost = 0;
    CostPart m_part = CostPart::Self;
    double m_most = 0;                ///< greatest change
    std::vector<std::string> m_names; ///< how the functions read, by row
};

} // namespace ui
