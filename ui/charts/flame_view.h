// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/layout/flame_layout.h"
#include "ui/theme_colors.h"

#include <QAbstractScrollArea>

#include <memory>
#include <optional>
#include <vector>

namespace ui {

/// A flame graph, root at the top: gestures and painting, whatever the tree. Click selects, double click or Enter zooms, Esc or the mouse's back
/// button goes back to the zoom before, Home shows the whole graph, arrows walk, hovering explains. What a node is called, how it is coloured and what it costs is said by those who derive.
class FlameView : public QAbstractScrollArea
{
    Q_OBJECT

public:
    explicit FlameView(QWidget *parent = nullptr);

    /// Highlights functions that `needle` asks for (see NameNeedle) and scrolls to the widest; their share is given by matchedShare().
    void setSearch(const QString &needle);
    /// Marks a node, without a signal.
    void setSelected(model::NodeId node);
    model::NodeId selected() const { return m_selected; }
    /// Marks a node, without a signal, and scrolls to it.
    void showNode(model::NodeId node);
    /// Scrolls to a node, once the graph is next seen, where it is drawn out of sight.
    void bringIntoSight(model::NodeId node);
    void zoomTo(model::NodeId node);
    /// To what was zoomed before; to the whole graph where that is unknown. False: the whole graph is shown already.
    bool zoomBack();
    void zoomOut(); ///< to the whole graph
    /// Scrolls, once the graph is next seen, past callers that all stacks share to where the graph divides.
    void showBranching();

    model::NodeId zoom() const { return m_zoom; }
    /// Whether a node is what is zoomed, or below it.
    bool isInZoom(model::NodeId node) const;
    /// Share of the zoomed node that functions found by the search make up; each stack counts once.
    double matchedShare() const { return m_matchedShare; }
    /// The whole graph at `width` pixels, however tall; for exports.
    QImage image(int width) const;
    /// What hovering over a node says.
    QString explanationOf(model::NodeId node) const;

    QSize sizeHint() const override;

Q_SIGNALS:
    void nodeSelected(model::NodeId node);
    void nodeActivated(model::NodeId node);
    void zoomChanged(model::NodeId node);
    void contextMenuRequested(model::NodeId node, const QPoint &globalPosition);

protected:
    /// A node as the view has to know it.
    struct Place
    {
        model::NodeId parent; ///< invalid for the root
        model::NodeId firstChild;
        std::uint32_t childCount = 0;
    };
    virtual std::size_t nodeCount() const = 0;
    virtual Place place(model::NodeId node) const = 0;
    virtual std::int64_t total(model::NodeId node) const = 0;
    virtual QString wholeName(model::NodeId node) const = 0; ///< not of the root
    virtual QColor fillOf(model::NodeId node) const = 0;
    virtual QString explanation(const model::FlameRect &rect) const = 0;
    virtual model::FlameLayout layoutFor(const model::FlameOptions &options) const = 0;
    /// To be called when the tree has become another: finds what was zoomed in it by the names on the way, or the last caller that is there, then
    /// draws anew. What was selected is so only where its whole way is there; it is kept in mind for the trees to come.
    void treeChanged(const std::vector<QString> &zoomPath);
    /// Names from the root to a node.
    std::vector<QString> pathOf(model::NodeId node) const;

    bool viewportEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;

private:
    /// What is painted of a rectangle beside its place.
    struct Look
    {
        QString text; ///< already elided to the width; empty where nothing fits
        QColor fill;
        bool isHit = false;
    };

    void relayout();
    void setZoom(model::NodeId node);
    void scrollTo(int row);
    void scrollToZoom();
    void scrollToBranching();
    void scrollToWanted();
    std::vector<Look> looksOf(const model::FlameLayout &layout) const;
    void findMatches();
    double matchedBelow(model::NodeId node) const;
    model::NodeId nodeAt(const std::vector<QString> &path) const;
    void paint(
        QPainter &painter, const model::FlameLayout &layout, const std::vector<Look> &looks, int top, int height) const;
    std::optional<std::size_t> rectAt(const QPoint &position) const;
    void step(int key);

    model::NodeId m_zoom{0u};
    std::vector<std::vector<QString>> m_zoomsBefore; ///< as paths: they outlive a tree
    model::NodeId m_selected;
    std::optional<std::vector<QString>> m_selectedPath; ///< of what was selected last, in this tree or not
    bool m_isPressed = false; ///< the last press was on m_selected: a double click means that, wherever it has moved to
    std::optional<std::size_t> m_hovered;
    QString m_search;
    std::vector<bool> m_matches; ///< by node; empty without a search
    double m_matchedShare = 0;
    bool m_wantsBranching = false;
    model::NodeId m_wantedInSight; ///< until it was painted
    bool m_isReachedByKey = false; ///< has the focus, and not from a click
    model::FlameLayout m_layout;
    std::vector<Look> m_looks; ///< parallel to m_layout.rects
};

} // namespace ui
