// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_frame.h"
#include "ui/selection.h"

#include <QtCharts/QChartView>

class QAbstractSeries;
class QXYSeries;

namespace ui {

/// Whether the gestures of a chart change the selected time.
enum class ChartGestures {
    Select,    ///< drag selects, the wheel zooms and pans, a double click resets, Esc steps back; keys do the same
    HoverOnly, ///< the chart shows another time than the selection (a forecast)
};

/// Lines, stacked areas, limits and forecast bands over time. Draws with Qt Charts, at most two points a pixel column; a gap in the data is a
/// gap in the line. The crosshair is shared with all other charts through the selection.
class TimeSeriesChart : public QChartView
{
    Q_OBJECT

public:
    TimeSeriesChart(Selection &selection, ChartGestures gestures, QWidget *parent = nullptr);

    /// Shows `content`. `bounds` is the whole recording: how far the wheel zooms out.
    void setContent(const ChartContent &content, model::TimeRange bounds);
    const ChartContent &content() const { return m_content; }

    /// Lets the limit be moved with the mouse; limitDragged() follows each move.
    void setLimitMovable(bool isMovable) { m_isLimitMovable = isMovable; }

    QSize sizeHint() const override { return {320, 150}; }

    /// The chart on the card's background, twice its size on screen; at least 720 × 280.
    QImage picture();

Q_SIGNALS:
    /// The limit was moved to this value.
    void limitDragged(double value);

protected:
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void drawBackground(QPainter *painter, const QRectF &rect) override;
    void drawForeground(QPainter *painter, const QRectF &rect) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;

private:
    void setUpChart();
    void rebuild();
    void addBands(const Colors &colors);
    void addLine(const ChartLine &line, const Colors &colors);
    void addStack(const Colors &colors);
    void add(QAbstractSeries *series);
    void paintCrosshair(QPainter &painter, const Colors &colors) const;
    bool isOverLimit(QPointF place) const;
    void moveLimit(double y);
    void zoom(double x, double factor);
    void pan(double share); ///< of the time that is shown; to the left below 0
    void select(model::TimeRange range);
    void moveCrosshair(double share);

    Selection &m_selection;
    ChartGestures m_gestures;
    ChartContent m_content;
    model::TimeRange m_bounds;
    ChartFrame m_frame;
    std::optional<QPointF> m_dragFrom;
    QPointF m_pointer;
    bool m_tellsValues = false;    ///< beside the crosshair: the pointer or the keyboard is here
    bool m_isReachedByKey = false; ///< has the focus, and shows it
    bool m_isLimitMovable = false;
    bool m_isMovingLimit = false;
};

} // namespace ui
