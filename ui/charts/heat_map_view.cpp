// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/heat_map_view.h"

#include "model/heap/size_bins.h"
#include "ui/charts/focus_ring.h"
#include "ui/charts/time_labels.h"
#include "ui/text.h"
#include "ui/theme_colors.h"

#include <QFocusEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

constexpr int kLeft = 64;
constexpr int kBottom = 26;
constexpr int kTop = 8;
constexpr int kRight = 92; ///< holds the colour scale
constexpr int kScaleWidth = 12;
constexpr int kLeastDragPx = 4;
constexpr int kColumnPx = 4;

} // namespace

HeatMapView::HeatMapView(QWidget *parent)
    : QWidget(parent)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::CrossCursor);
    setAccessibleName(tr("Allocations by time and size"));
}

void HeatMapView::setMap(const model::HeatMap &map, std::int64_t startWallNs, const std::string &utcOffset)
{
    m_map = map;
    if (m_cell && (m_cell->column >= map.columns || m_cell->row >= map.rows))
        m_cell.reset();
    m_startWallNs = startWallNs;
    m_utcOffset = utcOffset;
    m_scene = sceneFor(size());
    update();
}

void HeatMapView::setSelectedTime(std::optional<model::TimeRange> range)
{
    m_selected = range;
    update();
}

std::size_t HeatMapView::wantedColumns() const
{
    return static_cast<std::size_t>(std::max(1, (width() - kLeft - kRight) / kColumnPx));
}

HeatMapView::Scene HeatMapView::sceneFor(QSize size) const
{
    Scene scene;
    scene.plot
        = QRect(kLeft, kTop, std::max(1, size.width() - kLeft - kRight), std::max(1, size.height() - kTop - kBottom));
    scene.layout = model::heatMapLayout(m_map, scene.plot.width(), scene.plot.height());
    return scene;
}

void HeatMapView::paint(QPainter &painter, const Scene &scene) const
{
    const Colors &colors = Colors::of(this);
    painter.fillRect(painter.window(), colors[Token::Raised]);
    if (m_map.columns == 0 || m_map.rows == 0) {
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(painter.window(), Qt::AlignCenter, tr("Nothing was allocated in the recorded time."));
        return;
    }
    paintAxes(painter, scene);
    for (const model::HeatRect &cell : scene.layout.rects) {
        const QRectF box(scene.plot.x() + double(cell.x), scene.plot.y() + double(cell.y),
            std::ceil(double(cell.width)), std::ceil(double(cell.height)));
        painter.fillRect(box, colors.heat(double(cell.shade)));
    }
    paintScale(painter, scene);
}

void HeatMapView::paintAxes(QPainter &painter, const Scene &scene) const
{
    const Colors &colors = Colors::of(this);
    const QRect &plot = scene.plot;
    const int textHeight = painter.fontMetrics().height();
    for (const model::HeatTick &tick : scene.layout.sizeTicks) {
        const int y = plot.y() + static_cast<int>(std::lround(tick.y));
        painter.setPen(colors[Token::Line]);
        painter.drawLine(plot.left(), y, plot.right(), y);
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(
            QRect(0, y - textHeight / 2, kLeft - 8, textHeight), Qt::AlignRight | Qt::AlignVCenter, text(tick.label));
    }
    const TimeScale scale{m_map.range, double(plot.left()), double(plot.width())};
    for (const TimeLabel &time : clockLabels(scale, m_startWallNs, m_utcOffset, QFontMetricsF(painter.font()), 5))
        painter.drawText(QPointF(time.left, plot.bottom() + 6 + painter.fontMetrics().ascent()), time.text);
}

void HeatMapView::paintScale(QPainter &painter, const Scene &scene) const
{
    const Colors &colors = Colors::of(this);
    const QRect bar(scene.plot.right() + 16, scene.plot.top() + 2, kScaleWidth, scene.plot.height() - 4);
    for (int y = 0; y < bar.height(); ++y) {
        painter.setPen(colors.heat(1.0 - double(y) / bar.height()));
        painter.drawLine(bar.left(), bar.top() + y, bar.right(), bar.top() + y);
    }
    painter.setPen(colors[Token::InkMuted]);
    const int textHeight = painter.fontMetrics().height();
    const auto unit = m_map.weight == model::HeatWeight::Bytes ? model::Unit::Bytes : model::Unit::Count;
    const QString title = unit == model::Unit::Bytes ? tr("bytes") : tr("blocks");
    painter.drawText(
        QRect(bar.left(), bar.bottom() + 8, kRight + kScaleWidth, textHeight), Qt::AlignLeft | Qt::AlignVCenter, title);
    int lastY = bar.bottom() + 2 * textHeight;
    for (const double value : scene.layout.scale) {
        const int y = bar.bottom() - static_cast<int>(model::heatShade(value, m_map.greatest) * bar.height());
        if (lastY - y < textHeight)
            continue;
        lastY = y;
        const QString words
            = text(unit == model::Unit::Bytes ? model::formatBytes(value) : model::formatShortCount(value));
        painter.drawText(
            QRect(bar.right() + 6, y - textHeight / 2, kRight, textHeight), Qt::AlignLeft | Qt::AlignVCenter, words);
    }
}

void HeatMapView::paintSelection(QPainter &painter) const
{
    const Colors &colors = Colors::of(this);
    QRectF box;
    if (m_dragFrom)
        box = QRectF(std::min(*m_dragFrom, m_dragTo), m_scene.plot.top(), std::abs(m_dragTo - *m_dragFrom),
            m_scene.plot.height());
    else if (m_selected)
        box = QRectF(QPointF(xOf(m_scene.plot, m_selected->begin), m_scene.plot.top()),
            QPointF(xOf(m_scene.plot, m_selected->end), m_scene.plot.bottom()));
    box = box.intersected(QRectF(m_scene.plot));
    if (box.isEmpty())
        return;
    // A bracket, not a veil: a shade over the cells would be another colour of the scale.
    constexpr double kBar = 4;
    painter.setPen(QPen(colors[Token::Accent], 1));
    painter.drawLine(box.topLeft(), box.bottomLeft());
    painter.drawLine(box.topRight(), box.bottomRight());
    for (const double y : {box.top() - kBar, box.bottom() + 1})
        painter.fillRect(QRectF(box.left(), y, box.width() + 1, kBar), colors[Token::Accent]);
}

void HeatMapView::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    paint(painter, m_scene);
    if (m_map.columns == 0)
        return;
    paintSelection(painter);
    if (m_isReachedByKey)
        paintCell(painter);
}

/// The cell that the keys have reached, and the ring that says that they reach this view.
void HeatMapView::paintCell(QPainter &painter) const
{
    const Colors &colors = Colors::of(this);
    paintFocusRing(painter, QRectF(rect()), colors);
    if (!m_cell)
        return;
    painter.setPen(QPen(colors[Token::Ink], 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(cellBox(*m_cell).adjusted(-1, -1, 1, 1));
}

QRectF HeatMapView::cellBox(const model::HeatMapLayout::Cell &cell) const
{
    const std::vector<float> &edges = m_scene.layout.columnPx;
    const double height = static_cast<double>(m_scene.plot.height()) / static_cast<double>(m_map.rows);
    const auto left = static_cast<double>(edges[cell.column]), right = static_cast<double>(edges[cell.column + 1]);
    return {m_scene.plot.left() + left, m_scene.plot.top() + static_cast<double>(m_map.rows - 1 - cell.row) * height,
        right - left, height};
}

QImage HeatMapView::image(QSize size) const
{
    QImage image(size, QImage::Format_RGB32);
    QPainter painter(&image);
    painter.setFont(font());
    paint(painter, sceneFor(size));
    return image;
}

void HeatMapView::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    m_scene = sceneFor(size());
    Q_EMIT resized();
}

double HeatMapView::xOf(const QRect &plot, model::Timestamp when) const
{
    const double length = std::max(1.0, static_cast<double>(m_map.range.length().ns));
    return plot.left() + static_cast<double>((when - m_map.range.begin).ns) / length * plot.width();
}

model::Timestamp HeatMapView::timeAt(double x) const
{
    const double part = std::clamp((x - m_scene.plot.left()) / m_scene.plot.width(), 0.0, 1.0);
    return m_map.range.begin
        + model::Duration{static_cast<std::int64_t>(part * static_cast<double>(m_map.range.length().ns))};
}

QString HeatMapView::explanation(const QPoint &position) const
{
    const auto cell = m_scene.layout.at(position.x() - m_scene.plot.x(), position.y() - m_scene.plot.y());
    if (!cell)
        return {};
    const auto bin = static_cast<std::uint16_t>(m_map.firstBin + cell->row);
    const model::TimeRange span = m_map.columnSpan(cell->column);
    const double value = m_map.at(cell->column, cell->row);
    const bool isBytes = m_map.weight == model::HeatWeight::Bytes;
    const QString sizes = bin + 1 < model::kSizeBinCount
        ? tr("%1 to %2")
              .arg(text(model::formatBytes(static_cast<double>(model::sizeBinBegin(bin)))),
                  text(model::formatBytes(
                      static_cast<double>(model::sizeBinBegin(static_cast<std::uint16_t>(bin + 1)) - 1))))
        : tr("%1 and more").arg(text(model::formatBytes(static_cast<double>(model::sizeBinBegin(bin)))));
    const std::int64_t count = std::llround(value);
    const QString amount = isBytes ? text(model::formatBytes(value))
        : count == 1               ? tr("1 allocation")
                                   : tr("%1 allocations").arg(text(model::formatCount(count)));
    return tr("%1\nblocks of %2\n%3 for %4 · %5 from the start")
        .arg(amount, sizes, text(model::formatMoment(span.begin, m_map.range.length(), m_startWallNs, m_utcOffset)),
            text(model::formatDuration(span.length())), text(model::formatOffset(span.begin)));
}

void HeatMapView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton || m_map.columns == 0)
        return;
    m_dragFrom = m_dragTo = event->position().toPoint().x();
}

void HeatMapView::mouseMoveEvent(QMouseEvent *event)
{
    if (m_dragFrom) {
        m_dragTo = event->position().toPoint().x();
        update();
        return;
    }
    const QString words = explanation(event->position().toPoint());
    if (words.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(event->globalPosition().toPoint() + QPoint(0, 12), words, this);
}

void HeatMapView::mouseReleaseEvent(QMouseEvent *)
{
    if (!m_dragFrom)
        return;
    const int from = std::min(*m_dragFrom, m_dragTo);
    const int to = std::max(*m_dragFrom, m_dragTo);
    m_dragFrom.reset();
    update();
    if (to - from >= kLeastDragPx)
        Q_EMIT timeSelected({timeAt(from), timeAt(to)});
}

void HeatMapView::mouseDoubleClickEvent(QMouseEvent *)
{
    m_dragFrom.reset();
    Q_EMIT timeSelectionCleared();
}

void HeatMapView::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    m_isReachedByKey = isByKey(*event);
    update();
}

void HeatMapView::focusOutEvent(QFocusEvent *event)
{
    QWidget::focusOutEvent(event);
    m_isReachedByKey = false;
    m_cell.reset();
    update();
}

/// Moves the cell that the keys have reached, from the middle on, and says what it holds.
void HeatMapView::moveCell(int columns, int rows)
{
    const auto moved = [](std::size_t from, int by, std::size_t count) {
        const auto most = static_cast<std::ptrdiff_t>(count) - 1;
        return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(from) + by, 0, most));
    };
    const model::HeatMapLayout::Cell from
        = m_cell.value_or(model::HeatMapLayout::Cell{m_map.columns / 2, m_map.rows / 2});
    m_cell = model::HeatMapLayout::Cell{moved(from.column, columns, m_map.columns), moved(from.row, rows, m_map.rows)};
    const QPoint center = cellBox(*m_cell).center().toPoint();
    QToolTip::showText(mapToGlobal(center) + QPoint(8, 12), explanation(center), this);
    update();
}

void HeatMapView::keyPressEvent(QKeyEvent *event)
{
    const int step = event->modifiers().testFlag(Qt::ShiftModifier) ? 10 : 1;
    const int key = event->key();
    if (key == Qt::Key_Escape && m_dragFrom) {
        m_dragFrom.reset();
        update();
    } else if (m_map.columns == 0) {
        QWidget::keyPressEvent(event);
    } else if (key == Qt::Key_Left || key == Qt::Key_Right) {
        moveCell(key == Qt::Key_Left ? -step : step, 0);
    } else if (key == Qt::Key_Up || key == Qt::Key_Down) {
        moveCell(0, key == Qt::Key_Up ? step : -step);
    } else if (m_cell && (key == Qt::Key_Return || key == Qt::Key_Enter)) {
        Q_EMIT timeSelected(m_map.columnSpan(m_cell->column));
    } else if (key == Qt::Key_Home) {
        Q_EMIT timeSelectionCleared();
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace ui
