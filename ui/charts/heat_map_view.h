// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/layout/axis_ticks.h"
#include "model/layout/heat_map_layout.h"

#include <QImage>
#include <QRect>
#include <QWidget>

#include <optional>
#include <string>

namespace ui {

/// Allocations by time (to the right) and size (upwards), with its colour scale. Dragging selects a time, double click asks for
/// everything, hovering tells a cell's numbers. The arrow keys go from cell to cell, Enter selects the time of one, Home everything.
class HeatMapView : public QWidget
{
    Q_OBJECT

public:
    explicit HeatMapView(QWidget *parent = nullptr);

    /// Shows a map; `startWallNs` and `utcOffset` as in SessionInfo, for the clock on the time axis.
    void setMap(const model::HeatMap &map, std::int64_t startWallNs, const std::string &utcOffset);
    /// Marks the selected time; empty: none.
    void setSelectedTime(std::optional<model::TimeRange> range);
    /// Columns that make sense at the present width.
    std::size_t wantedColumns() const;
    QImage image(QSize size) const;

    QSize sizeHint() const override { return {700, 360}; }
    QSize minimumSizeHint() const override { return {320, 200}; }

Q_SIGNALS:
    void timeSelected(model::TimeRange range);
    void timeSelectionCleared();
    /// wantedColumns() changed.
    void resized();

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;

private:
    struct Scene
    {
        QRect plot;
        model::HeatMapLayout layout;
    };

    Scene sceneFor(QSize size) const;
    void paint(QPainter &painter, const Scene &scene) const;
    void paintAxes(QPainter &painter, const Scene &scene) const;
    void paintScale(QPainter &painter, const Scene &scene) const;
    void paintSelection(QPainter &painter) const;
    void paintCell(QPainter &painter) const;
    QRectF cellBox(const model::HeatMapLayout::Cell &cell) const;
    void moveCell(int columns, int rows);
    double xOf(const QRect &plot, model::Timestamp when) const;
    model::Timestamp timeAt(double x) const;
    QString explanation(const QPoint &position) const;

    model::HeatMap m_map;
    std::int64_t m_startWallNs = 0;
    std::string m_utcOffset;
    std::optional<model::TimeRange> m_selected;
    std::optional<int> m_dragFrom;
    int m_dragTo = 0;
    Scene m_scene;
    std::optional<model::HeatMapLayout::Cell> m_cell; ///< that the keys have reached
    bool m_isReachedByKey = false;                    ///< has the focus, and shows it
};

} // namespace ui
