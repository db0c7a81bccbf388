// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/layout/axis_ticks.h"
#include "ui/charts/chart_content.h"
#include "ui/charts/time_labels.h"
#include "ui/charts/time_scale.h"

#include <QFont>
#include <QPainter>
#include <QRectF>

#include <vector>

namespace ui {

/// The part of a time chart around its lines: where the plot is, the axes, and what is written in it. Made anew when content or
/// size change; painting lays nothing out.
class ChartFrame
{
public:
    ChartFrame() = default;
    /// Lays out `content` in `size` pixels with text in `font`. `previous` keeps the value axis while it still fits.
    ChartFrame(const ChartContent &content, QSizeF size, const QFont &font, const ChartFrame &previous);

    const QRectF &plot() const { return m_plot; }
    const model::Axis &axis() const { return m_axis; }
    TimeScale scale() const { return {m_range, m_plot.left(), m_plot.width()}; }
    double y(double value) const;
    /// The value at a height; beyond the plot the axis goes on.
    double valueAt(double y) const;
    /// Where the limit is drawn: at the upper edge where it lies beyond the axis. Empty without one.
    std::optional<double> limitY() const;

    /// Grid, gaps and the labels of both axes.
    void paintBehind(QPainter &painter, const Colors &colors) const;
    /// Names at the lines' ends, the limit, the crossing, and where history ends.
    void paintInFront(QPainter &painter, const Colors &colors) const;

private:
    struct Label
    {
        QPointF place; ///< left end of the text, vertical middle
        QString text;
        SeriesColor color;
    };

    void layOutAxis(const ChartContent &content, const ChartFrame &previous);
    void layOutPlot(const ChartContent &content, QSizeF size);
    void layOutLabels(const ChartContent &content);
    void layOutLayerLabels(const ChartContent &content);
    void paintLimit(QPainter &painter, const Colors &colors) const;

    QFont m_font;
    double m_width = 0;
    QRectF m_plot;
    model::TimeRange m_range;
    model::Unit m_unit = model::Unit::Count;
    model::Axis m_axis;
    std::vector<TimeLabel> m_times;
    std::vector<QRectF> m_gaps;
    std::vector<Label> m_labels;
    std::optional<ChartLimit> m_limit;
    std::optional<double> m_nowX;
    QString m_nowLabel;
    std::optional<QPointF> m_crossing;
    QString m_crossingLabel;
    bool m_isStacked = false;
};

/// Greatest and least value that `content` shows in its range; {0, 0} for nothing.
model::TimeSeries::Extent valueExtent(const ChartContent &content);

} // namespace ui
