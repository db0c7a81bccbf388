// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/noted_tree_view.h"

#include "ui/theme_colors.h"

#include <QHeaderView>
#include <QPainter>

namespace ui {

void paintNote(QWidget &viewport, const QString &note)
{
    constexpr int kMargin = 16;
    QPainter painter(&viewport);
    painter.setPen(Colors::of(&viewport)[Token::InkMuted]);
    painter.drawText(viewport.rect().adjusted(kMargin, kMargin, -kMargin, -kMargin),
        Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, note);
}

void paintWhereKeysBegin(
    const QTreeView &view, QPainter &painter, const QStyleOptionViewItem &option, const QModelIndex &row)
{
    const QModelIndex current = view.currentIndex();
    const bool isCurrent = current.isValid() && row.row() == current.row() && row.parent() == current.parent();
    if (isCurrent && view.hasFocus() && !view.selectionModel()->isSelected(row))
        painter.fillRect(option.rect, Colors::of(&view)[Token::Hover]);
}

void NotedTreeView::setNote(const QString &note)
{
    m_note = note;
    viewport()->update();
}

void NotedTreeView::setLeastRows(int rows)
{
    m_leastRows = rows;
    updateGeometry();
}

QSize NotedTreeView::minimumSizeHint() const
{
    constexpr int kUsualRowHeight = 26; // until there are rows
    QSize least = QTreeView::minimumSizeHint();
    const QModelIndex first = model() != nullptr ? model()->index(0, 0) : QModelIndex();
    const int row = first.isValid() ? rowHeight(first) : kUsualRowHeight;
    if (m_leastRows > 0)
        least.setHeight(header()->sizeHint().height() + m_leastRows * row + 2 * frameWidth());
    return least;
}

void NotedTreeView::paintEvent(QPaintEvent *event)
{
    QTreeView::paintEvent(event);
    if (m_note.isEmpty() || model() == nullptr || model()->rowCount() > 0)
        return;
    paintNote(*viewport(), m_note);
}

void NotedTreeView::drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    paintWhereKeysBegin(*this, *painter, option, index);
    QTreeView::drawRow(painter, option, index);
}

} // namespace ui
