// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/flame_view.h"
#include "ui/charts/module_colors.h"

namespace ui {

/// The flame graph of one cost of a call tree. Colours: own code tinted by module; libraries (also those whose
/// templates became part of the program), the kernel and the tracer grey; search hits saturated.
class FlameGraphView : public FlameView
{
    Q_OBJECT

public:
    explicit FlameGraphView(QWidget *parent = nullptr);

    /// Shows `tree` by its cost number `column`; keeps the zoom where the same functions are still there.
    void setTree(std::shared_ptr<const model::CallTree> tree, std::size_t column);

protected:
    std::size_t nodeCount() const override { return m_tree->size(); }
    Place place(model::NodeId node) const override;
    std::int64_t total(model::NodeId node) const override { return m_tree->total(node, m_column); }
    QString wholeName(model::NodeId node) const override;
    QColor fillOf(model::NodeId node) const override;
    QString explanation(const model::FlameRect &rect) const override;
    model::FlameLayout layoutFor(const model::FlameOptions &options) const override;

private:
    std::shared_ptr<const model::CallTree> m_tree;
    std::size_t m_column = 0;
};

} // namespace ui
