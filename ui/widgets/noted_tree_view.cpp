// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/noted_tree_view.h"

#include "ui/theme_colors.h"

#include <QPainter>

namespace ui {

void NotedTreeView::setNote(const QString &note)
{
    m_note = note;
    viewport()->update();
}

void NotedTreeView::paintEvent(QPaintEvent *event)
{
    QTreeView::paintEvent(event);
    if (m_note.isEmpty() || model() == nullptr || model()->rowCount() > 0)
        return;
    constexpr int kMargin = 16;
    QPainter painter(viewport());
    painter.setPen(Colors::of(this)[Token::InkMuted]);
    painter.drawText(viewport()->rect().adjusted(kMargin, kMargin, -kMargin, -kMargin),
        Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, m_note);
}

void NotedTreeView::drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    // The style sheet marks its first cell alone.
    const bool isCurrent
        = currentIndex().isValid() && index.row() == currentIndex().row() && index.parent() == currentIndex().parent();
    if (isCurrent && hasFocus() && !selectionModel()->isSelected(index))
        painter->fillRect(option.rect, Colors::of(this)[Token::Hover]);
    QTreeView::drawRow(painter, option, index);
}

} // namespace ui
