// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/header_style.h"

#include "ui/theme_colors.h"

#include <QPainter>
#include <QStyleOptionHeader>

#include <algorithm>
#include <array>

namespace ui {

namespace {

constexpr int kArrowPx = 7; ///< as wide; half as high
constexpr int kGapPx = 7;   ///< to the heading

QRect arrowRect(const QStyleOptionHeader &header, const QRect &label)
{
    const int text = header.fontMetrics.horizontalAdvance(header.text);
    const Qt::Alignment alignment = header.textAlignment & Qt::AlignHorizontal_Mask;
    int x = label.left() + text + kGapPx;
    if (alignment & Qt::AlignRight)
        x = label.right() + 1 - text - kGapPx - kArrowPx;
    else if (alignment & Qt::AlignHCenter)
        x = label.left() + (label.width() + text) / 2 + kGapPx;
    x = std::clamp(x, header.rect.left(), std::max(header.rect.right() - kArrowPx, header.rect.left()));
    return {x, header.rect.center().y() - kArrowPx / 2, kArrowPx, kArrowPx};
}

} // namespace

HeaderStyle::HeaderStyle()
    : QProxyStyle(QStringLiteral("Fusion"))
{
}

QRect HeaderStyle::subElementRect(SubElement element, const QStyleOption *option, const QWidget *widget) const
{
    const auto *header = qstyleoption_cast<const QStyleOptionHeader *>(option);
    if (element != SE_HeaderArrow || header == nullptr || header->orientation != Qt::Horizontal)
        return QProxyStyle::subElementRect(element, option, widget);
    // The style sheet around this style knows the margins.
    const QStyle *outer = widget != nullptr ? widget->style() : this;
    return arrowRect(*header, outer->subElementRect(SE_HeaderLabel, option, widget));
}

void HeaderStyle::drawPrimitive(
    PrimitiveElement element, const QStyleOption *option, QPainter *painter, const QWidget *widget) const
{
    const auto *header = qstyleoption_cast<const QStyleOptionHeader *>(option);
    if (element != PE_IndicatorHeaderArrow || header == nullptr)
        return QProxyStyle::drawPrimitive(element, option, painter, widget);
    const QRectF box = header->rect;
    const bool pointsDown = header->sortIndicator == QStyleOptionHeader::SortUp; // Qt's word for descending
    const double half = box.width() / 4;
    const double tip = box.center().y() + (pointsDown ? half : -half);
    const double base = box.center().y() - (pointsDown ? half : -half);
    const std::array points{QPointF(box.left(), base), QPointF(box.center().x(), tip), QPointF(box.right(), base)};
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(Colors::of(widget)[Token::InkMuted], 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter->drawPolyline(points.data(), static_cast<int>(points.size()));
    painter->restore();
}

} // namespace ui
