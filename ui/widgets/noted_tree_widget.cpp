// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/noted_tree_widget.h"

#include "ui/widgets/noted_tree_view.h"

namespace ui {

void NotedTreeWidget::setNote(const QString &note)
{
    m_note = note;
    viewport()->update();
}

void NotedTreeWidget::paintEvent(QPaintEvent *event)
{
    QTreeWidget::paintEvent(event);
    if (!m_note.isEmpty())
        paintNote(*viewport(), m_note);
}

void NotedTreeWidget::drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    paintWhereKeysBegin(*this, *painter, option, index);
    QTreeWidget::drawRow(painter, option, index);
}

} // namespace ui
