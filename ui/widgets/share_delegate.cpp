// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/share_delegate.h"

#include "ui/models/cost_columns.h"
#include "ui/models/difference_columns.h"

#include <QApplication>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

constexpr int kRowHeight = 26;
constexpr int kCellMargin = 8;
constexpr int kBarInset = 4;

} // namespace

ShareDelegate::ShareDelegate(Token barToken, QObject *parent, Token negativeToken)
    : QStyledItemDelegate(parent)
    , m_barToken(barToken)
    , m_negativeToken(negativeToken)
{
}

void ShareDelegate::initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const
{
    QStyledItemDelegate::initStyleOption(option, index);
    const QVariant change = index.data(ChangeRole);
    if (!change.isValid())
        return;
    const Token token = change.toInt() > 0 ? Token::Danger : change.toInt() < 0 ? Token::Memory : Token::InkMuted;
    option->palette.setColor(QPalette::Text, Colors::of(option->widget)[token]);
}

void ShareDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    QStyleOptionViewItem item = option;
    initStyleOption(&item, index);
    item.textElideMode = Qt::ElideMiddle;
    const QVariant share = index.data(ShareRole);
    const bool hasOwnColor = index.data(ChangeRole).isValid();
    if (!share.isValid() && !hasOwnColor) {
        QStyledItemDelegate::paint(painter, item, index);
        return;
    }
    // The style sheet gives selected rows a colour of their own, so the figure is drawn here.
    const QString text = std::exchange(item.text, QString());
    const QWidget *widget = option.widget;
    QStyle *style = widget ? widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &item, painter, widget);
    const Colors &colors = Colors::of(widget);
    painter->save();
    if (share.isValid())
        paintBar(*painter, option.rect, share.toDouble(), colors);
    painter->setPen(hasOwnColor ? item.palette.color(QPalette::Text) : colors[Token::Ink]);
    painter->setFont(item.font);
    const QRect room = option.rect.adjusted(kCellMargin, 0, -kCellMargin - (share.isValid() ? 3 : 0), 0);
    painter->drawText(
        room, Qt::AlignRight | Qt::AlignVCenter, item.fontMetrics.elidedText(text, Qt::ElideMiddle, room.width()));
    painter->restore();
}

void ShareDelegate::paintBar(QPainter &painter, const QRect &cell, double share, const Colors &colors) const
{
    const QRect room = cell.adjusted(kCellMargin, kBarInset, -kCellMargin, -kBarInset);
    const double part = std::clamp(std::abs(share), 0.0, 1.0);
    const int length = part > 0 ? std::max(1, static_cast<int>(std::lround(part * room.width()))) : 0;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.soft(share < 0 ? m_negativeToken : m_barToken, 0.26));
    painter.drawRoundedRect(QRect(room.left(), room.top(), length, room.height()), 2, 2);
}

QSize ShareDelegate::sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    QSize size = QStyledItemDelegate::sizeHint(option, index);
    size.setHeight(std::max(size.height(), kRowHeight));
    if (index.data(ShareRole).isValid())
        size.setWidth(size.width() + 2 * kCellMargin);
    return size;
}

} // namespace ui
