// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/difference_tree.h"
#include "ui/charts/flame_view.h"

namespace ui {

/// The flame graph of what two sessions differ in: red is more than before, blue is less, the fuller the more; grey is what did not change, or not
/// by more than sampling explains. As wide as the mean of before and after, so that what is gone is seen too.
class DifferenceFlameView : public FlameView
{
    Q_OBJECT

public:
    explicit DifferenceFlameView(QWidget *parent = nullptr);

    /// Keeps the zoom where the same functions are still there.
    void setTree(std::shared_ptr<const model::DifferenceTree> tree);

    /// The colour of a model::differenceShade().
    static QColor colorOf(double shade, const Colors &colors);

protected:
    std::size_t nodeCount() const override { return m_tree->size(); }
    Place place(model::NodeId node) const override;
    std::int64_t total(model::NodeId node) const override { return m_tree->total(node); }
    QString wholeName(model::NodeId node) const override;
    QColor fillOf(model::NodeId node) const override;
    QString explanation(const model::FlameRect &rect) const override;
    model::FlameLayout layoutFor(const model::FlameOptions &options) const override;

private:
    std::shared_ptr<const model::DifferenceTree> m_tree;
};

/// The scale of its colours: "half … unchanged … twice".
class DifferenceScale : public QWidget
{
    Q_OBJECT

public:
    explicit DifferenceScale(QWidget *parent = nullptr);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
};

} // namespace ui
