// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "ui/charts/chart_content.h"

#include <QPixmap>
#include <QWidget>

namespace ui {

/// Paints a series in `area`, from 0 (or its least value, if that is below 0) to `greatest` (0: its own greatest), with the area below it filled.
void paintSpark(QPainter &painter, const QRectF &area, const model::TimeSeries &series, model::TimeRange range,
    const QColor &color, const QColor &fill, double greatest = 0);

/// A line without axes: the shape of a quantity over the recording.
class SparkLine : public QWidget
{
    Q_OBJECT

public:
    explicit SparkLine(QWidget *parent = nullptr);

    void setSeries(const model::TimeSeries &series, model::TimeRange range, SeriesColor color);
    void clear();

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    model::TimeSeries m_series;
    model::TimeRange m_range;
    SeriesColor m_color;
};

} // namespace ui
