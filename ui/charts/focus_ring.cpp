// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/focus_ring.h"

#include <QFocusEvent>
#include <QPainter>

namespace ui {

bool isByKey(const QFocusEvent &event)
{
    return event.reason() == Qt::TabFocusReason || event.reason() == Qt::BacktabFocusReason
        || event.reason() == Qt::ShortcutFocusReason;
}

void paintFocusRing(QPainter &painter, const QRectF &area, const Colors &colors)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(colors[Token::Accent], 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(area.adjusted(1, 1, -1, -1));
    painter.restore();
}

} // namespace ui
