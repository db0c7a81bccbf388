// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/layout/flame_layout.h"
#include "ui/charts/module_colors.h"

#include <QAbstractScrollArea>

#include <memory>
#include <vector>

namespace ui {

/// A flame graph, root at the top, of one cost of a call tree. Click selects, double click or Enter zooms, Esc steps back out, arrows
/// walk, hovering explains. Colours: own code tinted by module, system libraries grey, search hits saturated.
class FlameGraphView : public QAbstractScrollArea
{
    Q_OBJECT

public:
    explicit FlameGraphView(QWidget *parent = nullptr);

    /// Shows `tree` by its cost number `column`; keeps the zoom where the same functions are still there.
    void setTree(std::shared_ptr<const model::CallTree> tree, std::size_t column);
    /// Highlights functions whose name contains `needle`; the share of what was found is given by matchedShare().
    void setSearch(const QString &needle);
    /// Marks a node, without a signal.
    void setSelected(model::NodeId node);
    void zoomTo(model::NodeId node);
    /// Scrolls, once the graph is next seen, past callers that all stacks share to where the graph divides.
    void showBranching();

    model::NodeId zoom() const { return m_zoom; }
    /// Share of the zoomed node that functions found by the search make up; each stack counts once.
    double matchedShare() const { return m_matchedShare; }
    /// The whole graph at `width` pixels, however tall; for exports.
    QImage image(int width) const;

    QSize sizeHint() const override;

Q_SIGNALS:
    void nodeSelected(model::NodeId node);
    void nodeActivated(model::NodeId node);
    void zoomChanged(model::NodeId node);
    void contextMenuRequested(model::NodeId node, const QPoint &globalPosition);

protected:
    bool viewportEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    /// What is painted of a rectangle beside its place.
    struct Look
    {
        QString text; ///< already elided to the width; empty where nothing fits
        ModuleTint tint;
        bool isHit = false;
    };

    void relayout();
    void scrollToBranching();
    std::vector<Look> looksOf(const model::FlameLayout &layout) const;
    void findMatches();
    double matchedBelow(model::NodeId node) const;
    void paint(
        QPainter &painter, const model::FlameLayout &layout, const std::vector<Look> &looks, int top, int height) const;
    ModuleTint tintOf(model::NodeId node) const;
    std::optional<std::size_t> rectAt(const QPoint &position) const;
    QString explanation(const model::FlameRect &rect) const;
    void step(int key);

    std::shared_ptr<const model::CallTree> m_tree;
    std::size_t m_column = 0;
    model::NodeId m_zoom = model::CallTree::root();
    model::NodeId m_selected;
    std::optional<std::size_t> m_hovered;
    QString m_search;
    std::vector<bool> m_matches; ///< by node; empty without a search
    double m_matchedShare = 0;
    bool m_wantsBranching = false;
    model::FlameLayout m_layout;
    std::vector<Look> m_looks; ///< parallel to m_layout.rects
};

} // namespace ui
