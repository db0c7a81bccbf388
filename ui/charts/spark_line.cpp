// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/spark_line.h"

#include "model/aggregate/mean_series.h"
#include "ui/charts/time_scale.h"

#include <QPainter>

#include <algorithm>

namespace ui {

void paintSpark(QPainter &painter, const QRectF &area, const model::TimeSeries &series, model::TimeRange range,
    const QColor &color, const QColor &fill, double greatest)
{
    const auto extent = series.extent(range);
    if (!extent)
        return;
    const double least = std::min(0.0, extent->least);
    const double span = std::max((greatest > 0 ? greatest : extent->greatest) - least, 1e-9);
    const TimeScale scale{range, area.left(), area.width()};
    const auto columns = static_cast<std::size_t>(std::max(area.width(), 1.0));
    const bool dense = model::isDense(series, range, columns);
    QColor extremes = color; // of what each pixel holds, where a line through all of it would be a solid area
    extremes.setAlphaF(0.35F);
    const auto pointAt = [&](const model::SeriesPoint &point) {
        return QPointF(scale.x(point.when), area.bottom() - (point.value - least) / span * (area.height() - 2));
    };
    painter.save();
    painter.setClipRect(area.adjusted(0, -1, 0, 1));
    for (const auto &segment : model::downsampled(series, range, columns).segments) {
        QPolygonF line;
        line.reserve(static_cast<qsizetype>(segment.size()) + 2);
        for (const model::SeriesPoint &point : segment)
            line.append(pointAt(point));
        if (fill.isValid() && line.size() > 1) {
            QPolygonF below = line;
            below.append({line.last().x(), area.bottom()});
            below.append({line.first().x(), area.bottom()});
            painter.setPen(Qt::NoPen);
            painter.setBrush(fill);
            painter.drawPolygon(below);
        }
        painter.setPen(QPen(dense ? extremes : color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        if (line.size() == 1) {
            constexpr double kRadius = 1.6;
            painter.setBrush(color);
            painter.drawEllipse(
                {std::clamp(line.first().x(), area.left() + kRadius, area.right() - kRadius), line.first().y()},
                kRadius, kRadius);
        }
        painter.drawPolyline(line);
    }
    painter.setPen(QPen(color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    constexpr std::size_t kPixelsPerMean = 4;
    if (dense)
        for (const auto &segment : model::meanSeries(series, range, columns / kPixelsPerMean + 1).segments) {
            QPolygonF line;
            for (const model::SeriesPoint &point : segment)
                line.append(pointAt(point));
            painter.drawPolyline(line);
        }
    painter.restore();
}

SparkLine::SparkLine(QWidget *parent)
    : QWidget(parent)
{
    setMinimumHeight(28);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void SparkLine::setSeries(const model::TimeSeries &series, model::TimeRange range, SeriesColor color)
{
    m_series = series;
    m_range = range;
    m_color = color;
    update();
}

void SparkLine::clear() { setSeries({}, {}, {}); }

void SparkLine::paintEvent(QPaintEvent *)
{
    if (m_series.isEmpty())
        return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors &colors = Colors::of(this);
    const QColor color = m_color.in(colors);
    paintSpark(painter, QRectF(rect()).adjusted(0, 2, 0, 0), m_series, m_range, color,
        mixed(color, colors[Token::Raised], 0.13));
}

} // namespace ui
