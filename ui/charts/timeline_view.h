// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"
#include "ui/charts/chart_content.h"
#include "ui/charts/time_scale.h"
#include "ui/selection.h"

#include <QPixmap>
#include <QWidget>

#include <memory>
#include <vector>

namespace ui {

/// The whole recording in thin tracks, and the brush: the one selection of time. Drag selects, its edges and the brush itself can be dragged,
/// the wheel zooms the tracks at the pointer, a double click resets both, Esc steps back; the arrow keys move the brush, plus and minus
/// zoom, Home resets.
class TimelineView : public QWidget
{
    Q_OBJECT

public:
    explicit TimelineView(Selection &selection, QWidget *parent = nullptr);

    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);

    /// Width of the names on the left, so that the tracks begin where the pages do.
    void setLabelWidth(int width);

    /// Whether what is shown stands still while the recording goes on.
    void setHeld(bool isHeld);

    /// Shows at most so many tracks, the first ones that have values.
    void setMostTracks(std::size_t most);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool event(QEvent *event) override;

private:
    struct Track
    {
        QString label;
        std::vector<ChartLine> lines; ///< the first one's last value is shown
        model::Unit unit = model::Unit::Count;
    };
    enum class Grip { None, New, Begin, End, Whole };

    void setUpTracks();
    QRectF plot() const;
    QRectF trackArea(std::size_t index) const;
    bool hasEvents() const;
    double bottom() const; ///< of the last row
    TimeScale scale() const;
    /// The selected time as it is drawn: in whole ticks, as all pages show it; while it is dragged, as the pointer has it.
    std::optional<model::TimeRange> brush() const;
    Grip gripAt(const QPointF &place) const;
    void moveGrip(model::Timestamp when);
    void moveBrush(int direction, Grip grip);
    void zoomTo(model::TimeRange range);
    void showEverything();
    void showCursor(const QPointF &place);
    void paintTracks(QPainter &painter);
    void paintTrack(QPainter &painter, std::size_t index, const Colors &colors) const;
    void paintEvents(QPainter &painter, const Colors &colors) const;
    void paintAxis(QPainter &painter, const Colors &colors) const;
    void paintBrush(QPainter &painter, const Colors &colors) const;
    void paintPointer(QPainter &painter, const Colors &colors) const;
    QString hoverText(model::Timestamp when) const;
    void invalidate();

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<Track> m_tracks;
    model::TimeRange m_whole;
    std::optional<model::TimeRange> m_zoom; ///< of the tracks; empty: everything
    QPixmap m_cache;                        ///< tracks without brush
    int m_labelWidth = 168;
    std::size_t m_mostTracks = 4;
    Grip m_grip = Grip::None;
    bool m_hasMoved = false;
    bool m_isReachedByKey = false; ///< has the focus, and shows it
    model::Timestamp m_gripFrom;
    model::TimeRange m_brushFrom;
    bool m_isHeld = false;
};

} // namespace ui
