// SPDX-License-Identifier: GPL-3.0-or-later
// What a FlameView does when it is clicked, hovered and walked through; the rest stands in flame_view.cpp.
#include "ui/charts/flame_view.h"
#include "ui/charts/focus_ring.h"

#include <QFocusEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QToolTip>

#include <utility>

namespace ui {

void FlameView::focusInEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusInEvent(event);
    m_isReachedByKey = isByKey(*event);
    viewport()->update();
}

void FlameView::focusOutEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusOutEvent(event);
    m_isReachedByKey = false;
    viewport()->update();
}

bool FlameView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        if (const auto hit = rectAt(help->pos()))
            QToolTip::showText(help->globalPos(), explanation(m_layout.rects[*hit]), viewport());
        else
            QToolTip::hideText();
        return true;
    }
    if (event->type() == QEvent::Leave && m_hovered) {
        m_hovered.reset();
        viewport()->update();
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void FlameView::mouseMoveEvent(QMouseEvent *event)
{
    const auto hit = rectAt(event->position().toPoint());
    if (hit == m_hovered)
        return;
    m_hovered = hit;
    viewport()->update();
    if (hit)
        QToolTip::showText(
            event->globalPosition().toPoint() + QPoint(0, 12), explanation(m_layout.rects[*hit]), viewport());
    else
        QToolTip::hideText();
}

void FlameView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::BackButton) {
        zoomBack();
        return;
    }
    const auto hit = rectAt(event->position().toPoint());
    m_isPressed = event->button() == Qt::LeftButton && hit && !m_layout.rects[*hit].merged;
    if (!m_isPressed)
        return;
    setSelected(m_layout.rects[*hit].node);
    Q_EMIT nodeSelected(m_selected);
}

void FlameView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (event->button() == Qt::BackButton) {
        zoomBack(); // the second of two quick presses
        return;
    }
    if (event->button() != Qt::LeftButton)
        return;
    // The first press chose a function, and the inspector that opened for it may have made the graph narrower.
    const auto hit = rectAt(event->position().toPoint());
    const bool isOfPress = std::exchange(m_isPressed, false) && m_selected.isValid();
    if (!isOfPress && !hit)
        return;
    // Again on what is zoomed: back, as in every chart. Functions too narrow to draw: into who calls them.
    const model::NodeId node = isOfPress ? m_selected : m_layout.rects[*hit].node;
    if (node != m_zoom)
        zoomTo(node);
    else if (isOfPress || m_layout.rects[*hit].merged == 0)
        zoomBack();
    Q_EMIT nodeActivated(m_zoom);
}

void FlameView::contextMenuEvent(QContextMenuEvent *event)
{
    const auto hit = rectAt(event->pos());
    if (!hit || m_layout.rects[*hit].merged)
        return;
    setSelected(m_layout.rects[*hit].node);
    Q_EMIT nodeSelected(m_selected);
    Q_EMIT contextMenuRequested(m_selected, event->globalPos());
}

void FlameView::step(int key)
{
    const model::NodeId at = m_selected.isValid() ? m_selected : m_zoom;
    const Place node = place(at);
    model::NodeId next = at;
    if (key == Qt::Key_Up && node.parent.isValid())
        next = node.parent;
    else if (key == Qt::Key_Down && node.childCount)
        next = node.firstChild;
    else if (node.parent.isValid()) {
        const Place above = place(node.parent);
        const std::size_t row = at.index() - above.firstChild.index();
        if (key == Qt::Key_Left && row > 0)
            next = model::NodeId(at.index() - 1);
        else if (key == Qt::Key_Right && row + 1 < above.childCount)
            next = model::NodeId(at.index() + 1);
    }
    showNode(next);
    Q_EMIT nodeSelected(next);
}

void FlameView::keyPressEvent(QKeyEvent *event)
{
    switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Left:
    case Qt::Key_Right:
        step(event->key());
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_selected.isValid())
            zoomTo(m_selected);
        return;
    case Qt::Key_Home:
        zoomOut();
        return;
    case Qt::Key_Escape:
    case Qt::Key_Backspace:
        if (zoomBack())
            return;
        break;
    default:
        break;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

} // namespace ui
