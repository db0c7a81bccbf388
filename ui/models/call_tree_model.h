// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "ui/models/cost_columns.h"

#include <QAbstractItemModel>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ui {

/// A call tree as an item model: a column with the function, then the figures of a CostView. The root itself is not a row.
class CallTreeModel : public QAbstractItemModel
{
    Q_OBJECT

public:
    explicit CallTreeModel(QObject *parent = nullptr);

    /// Replaces everything. `tree` must have been made with the costs of `view`.
    void setTree(std::shared_ptr<const model::CallTree> tree, const CostView &view);

    const model::CallTree &tree() const { return *m_tree; }
    model::NodeId nodeAt(const QModelIndex &index) const;
    QModelIndex indexOf(model::NodeId node, int column = 0) const;

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::int64_t valueOf(model::NodeId node, const CostColumn &column) const;
    std::string shownName(model::NodeId node) const;
    QVariant nameData(model::NodeId node, int role) const;
    QVariant figureData(model::NodeId node, const CostColumn &column, int role) const;

    std::shared_ptr<const model::CallTree> m_tree;
    CostView m_view;
    /// How the children of a node read that was shown, by row.
    mutable std::unordered_map<std::uint32_t, std::vector<std::string>> m_names;
};

} // namespace ui
