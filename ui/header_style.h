// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QProxyStyle>

namespace ui {

/// Fusion, but the arrow of a sorted column stands beside its heading: behind it, or before it where the heading ends at the
/// right. It points down where the largest comes first.
class HeaderStyle : public QProxyStyle
{
    Q_OBJECT

public:
    HeaderStyle();

    QRect subElementRect(SubElement element, const QStyleOption *option, const QWidget *widget) const override;
    void drawPrimitive(
        PrimitiveElement element, const QStyleOption *option, QPainter *painter, const QWidget *widget) const override;
};

} // namespace ui
