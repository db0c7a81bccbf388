// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/models/difference_columns.h"

#include <QAbstractItemModel>

#include <memory>
#include <optional>
#include <vector>

namespace ui {

/// The groups of stacks of one compared cost, in the order of the comparison; below each its frames, innermost first. Columns: stack, those of
/// differences.
class StackDifferenceModel : public QAbstractItemModel
{
    Q_OBJECT

public:
    enum Column { NameColumn, FirstColumn, ColumnCount = FirstColumn + kDifferenceColumns };

    using QAbstractItemModel::QAbstractItemModel;

    /// Shows the cost number `cost` of `compared`; null: none.
    void setCost(std::shared_ptr<const model::ComparedSessions> compared, std::size_t cost);

    /// The group of a row, or of a frame's row; null for none.
    const model::StackDifference *groupAt(const QModelIndex &index) const;

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    bool hasChildren(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    /// A frame as it is shown.
    struct FrameText
    {
        QString shown;
        QString whole;
    };
    const std::vector<FrameText> &framesOf(std::size_t group) const;
    QVariant nameData(std::size_t group, int role) const;
    const model::Comparison &comparison() const { return m_compared->costs[m_cost].comparison; }

    std::shared_ptr<const model::ComparedSessions> m_compared;
    std::size_t m_cost = 0;
    double m_most = 0;                                                   ///< greatest change
    mutable std::vector<std::optional<std::vector<FrameText>>> m_frames; ///< by group, once it was asked for
};

} // namespace ui
