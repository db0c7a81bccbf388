// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/compared_costs.h"
#include "ui/models/node_filter_model.h"

#include <QString>
#include <QVariant>

namespace ui {

/// Item data roles of the models of differences, behind those of costs.
enum DifferenceRole {
    SignificantRole = SourceRole + 1, ///< bool: the row differs by more than sampling explains
    ChangeRole, ///< int: 1 more, −1 less, 0 the same or not significant; for the colour of the figure
};

/// The columns that all of these models end with.
enum class DifferenceColumn { Before, After, Change, Relative, Interval };
inline constexpr int kDifferenceColumns = 5;

/// A cost, and its change with a sign: "1.5 MiB", "+12", "−485".
QString costWords(double cost, model::Unit unit);
QString changeWords(const model::Difference &difference, model::Unit unit);

/// What a cell about `difference` says in `role`. `most`: the greatest change of the table, for bars in the cells of changes; 0: no bars.
QVariant differenceData(const model::Difference &difference, model::Unit unit, model::Certainty certainty,
    DifferenceColumn column, double most, int role);
/// Header of a column.
QVariant differenceHeader(DifferenceColumn column, int role);

/// Keeps the rows that differ significantly, where asked to, and those that contain a text.
class DifferenceFilterModel : public NodeFilterModel
{
    Q_OBJECT

public:
    explicit DifferenceFilterModel(QObject *parent = nullptr);

    void setOnlySignificant(bool isOnly);

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;
    bool lessThan(const QModelIndex &left, const QModelIndex &right) const override;

private:
    bool m_isOnly = false;
};

} // namespace ui
