// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/total_difference_model.h"

#include "ui/text.h"

namespace ui {

void TotalDifferenceModel::setCompared(std::shared_ptr<const model::ComparedSessions> compared)
{
    beginResetModel();
    m_compared = std::move(compared);
    endResetModel();
}

int TotalDifferenceModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || !m_compared ? 0 : static_cast<int>(m_compared->costs.size());
}

int TotalDifferenceModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant TotalDifferenceModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const model::ComparedCost &cost = m_compared->costs[static_cast<std::size_t>(index.row())];
    if (role == SignificantRole)
        return cost.comparison.total.isSignificant;
    if (index.column() == CostColumn) {
        const bool isDivided = cost.comparison.isPerWork && m_compared->normalisation.per != model::PerWork::Nothing;
        const QString label = text(cost.cost.label);
        const QString whole = isDivided ? label + u' ' + text(model::perWorkText(m_compared->normalisation)) : label;
        // What tells the costs from each other stays in sight where the column is narrow.
        const bool isPerSecond = isDivided && m_compared->normalisation.per == model::PerWork::Second;
        if (role == Qt::DisplayRole)
            return isPerSecond ? tr("%1 /s").arg(label) : whole;
        return role == FullTextRole || role == Qt::ToolTipRole ? QVariant(whole) : QVariant();
    }
    if (index.column() == UnmatchedColumn) {
        if (role == Qt::DisplayRole)
            return text(model::formatShare(1 - cost.comparison.matchedShare));
        if (role == Qt::TextAlignmentRole)
            return QVariant(Qt::AlignRight | Qt::AlignVCenter);
        return role == Qt::ToolTipRole ? QVariant(tr("share that stands on stacks that only one of the two has"))
                                       : QVariant();
    }
    return differenceData(cost.comparison.total, model::costInfo(cost.cost.kind).unit, cost.comparison.certainty,
        static_cast<DifferenceColumn>(index.column() - FirstColumn), 0, role);
}

QVariant TotalDifferenceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (section == CostColumn)
        return role == Qt::DisplayRole      ? QVariant(tr("Cost"))
            : role == Qt::TextAlignmentRole ? QVariant(Qt::AlignLeft | Qt::AlignVCenter)
                                            : QVariant();
    if (section == UnmatchedColumn)
        return role == Qt::DisplayRole      ? QVariant(tr("Not matched"))
            : role == Qt::TextAlignmentRole ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                                            : QVariant();
    return differenceHeader(static_cast<DifferenceColumn>(section - FirstColumn), role);
}

} // namespace ui
