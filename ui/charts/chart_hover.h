// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_content.h"

#include <QColor>
#include <QFont>
#include <QRectF>
#include <QString>

#include <vector>

class QPainter;

namespace ui {

/// One line of what a chart says about a moment: a quantity with its colour.
struct HoverLine
{
    QColor color;
    QString label;
    QString value;
};

/// What `content` shows at `when`: the measured values, or behind the end of history those of the forecast. A value is that of the
/// nearest point within `reach`, or within a line that passes over the moment: a gap has none. In the order in which they lie on each other.
std::vector<HoverLine> hoverLines(
    const ChartContent &content, model::Timestamp when, model::Duration reach, const Colors &colors);

/// Paints a title and `lines` in a box beside `x`, within `plot`'s width where it fits.
void paintHoverBox(QPainter &painter, const QRectF &plot, double x, const QString &title,
    const std::vector<HoverLine> &lines, const Colors &colors, const QFont &font);

} // namespace ui
