// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/timeline_view.h"

#include "model/aggregate/phase_totals.h"
#include "model/base/format_units.h"
#include "ui/charts/focus_ring.h"
#include "ui/shown_time.h"
#include "ui/text.h"

#include <QClipboard>
#include <QFocusEvent>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>

namespace ui {

namespace {

constexpr double kGripPixels = 5;
constexpr double kCloser = 0.8; ///< of the time that is shown, a notch of the wheel or a key
constexpr int kTrackPixels = 25;
constexpr int kEventPixels = 18;

model::TimeRange ordered(model::Timestamp a, model::Timestamp b) { return {std::min(a, b), std::max(a, b)}; }

} // namespace

TimelineView::TimelineView(Selection &selection, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Timeline: drag, or the arrow keys, to select a time for all pages"));
    connect(&selection, &Selection::changed, this, [this] { update(); });
    connect(&selection, &Selection::crosshairMoved, this, [this] { update(); });
}

void TimelineView::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    m_whole = {};
    if (m_snapshot)
        m_whole.end = model::Timestamp{std::max<std::int64_t>(m_snapshot->info.duration.ns, 1'000'000)};
    setUpTracks();
    updateGeometry();
    invalidate();
}

void TimelineView::setUpTracks()
{
    m_tracks.clear();
    if (!m_snapshot)
        return;
    const auto add = [this](const QString &label, std::vector<std::pair<model::SeriesSource, Token>> sources) {
        Track track{label, {}, model::seriesInfo(sources.front().first).unit};
        for (const auto &[source, token] : sources) {
            model::TimeSeries series = model::overWholeTicks(model::timeSeries(*m_snapshot, source), *m_snapshot);
            if (!series.isEmpty())
                track.lines.push_back({text(model::seriesInfo(source).label), std::move(series), {token},
                    track.lines.empty() ? LineFill::Below : LineFill::None});
        }
        if (!track.lines.empty() && m_tracks.size() < m_mostTracks)
            m_tracks.push_back(std::move(track));
    };
    add(tr("Memory"), {{model::Metric::Rss, Token::Memory}});
    add(tr("Live heap"), {{model::HeapQuantity::LiveBytes, Token::Memory}});
    add(tr("CPU"), {{model::CpuQuantity::Used, Token::Cpu}});
    add(tr("Allocations"), {{model::HeapQuantity::AllocationRate, Token::Wait}});
}

QSize TimelineView::sizeHint() const
{
    const int rows = static_cast<int>(std::max<std::size_t>(m_tracks.size(), 1));
    return {600, 6 + rows * kTrackPixels + (hasEvents() ? kEventPixels : 0) + fontMetrics().height() + 6};
}

void TimelineView::setLabelWidth(int width)
{
    m_labelWidth = width;
    invalidate();
}

void TimelineView::setHeld(bool isHeld)
{
    m_isHeld = isHeld;
    invalidate();
}

void TimelineView::setMostTracks(std::size_t most)
{
    m_mostTracks = most;
    setUpTracks();
    updateGeometry();
    invalidate();
}

QRectF TimelineView::plot() const
{
    return QRectF(m_labelWidth, 4, std::max(width() - m_labelWidth - 16, 1), height() - 4);
}

QRectF TimelineView::trackArea(std::size_t index) const
{
    const QRectF area = plot();
    return {area.left(), area.top() + 2 + static_cast<double>(index) * kTrackPixels, area.width(), kTrackPixels - 4};
}

bool TimelineView::hasEvents() const
{
    // While recording the row stays: somebody may set a mark, and nothing jumps then.
    return m_snapshot
        && (!model::timelineMarks(*m_snapshot).empty() || m_snapshot->info.state == model::SessionState::Recording);
}

double TimelineView::bottom() const
{
    return plot().top() + static_cast<double>(m_tracks.size()) * kTrackPixels + (hasEvents() ? kEventPixels : 0);
}

TimeScale TimelineView::scale() const { return {m_zoom.value_or(m_whole), plot().left(), plot().width()}; }

std::optional<model::TimeRange> TimelineView::brush() const
{
    const auto &time = m_selection.current().time;
    return time && m_snapshot && m_grip == Grip::None ? shownTime(*m_snapshot, *time) : time;
}

TimelineView::Grip TimelineView::gripAt(const QPointF &place) const
{
    if (!m_snapshot || place.x() < plot().left() - kGripPixels)
        return Grip::None;
    if (const auto time = brush()) {
        const double begin = scale().x(time->begin);
        const double end = scale().x(time->end);
        if (std::abs(place.x() - begin) <= kGripPixels)
            return Grip::Begin;
        if (std::abs(place.x() - end) <= kGripPixels)
            return Grip::End;
        if (begin < place.x() && place.x() < end)
            return Grip::Whole;
    }
    return Grip::New;
}

void TimelineView::showCursor(const QPointF &place)
{
    const Grip grip = m_grip == Grip::None ? gripAt(place) : m_grip;
    setCursor(grip == Grip::Begin || grip == Grip::End ? Qt::SizeHorCursor
            : grip == Grip::Whole                      ? Qt::OpenHandCursor
            : grip == Grip::New                        ? Qt::CrossCursor
                                                       : Qt::ArrowCursor);
}

void TimelineView::moveGrip(model::Timestamp when)
{
    const Gesture gesture = m_hasMoved ? Gesture::Continued : Gesture::New;
    model::TimeRange next = m_brushFrom;
    if (m_grip == Grip::New)
        next = ordered(m_gripFrom, when);
    else if (m_grip == Grip::Begin)
        next = ordered(when, m_brushFrom.end);
    else if (m_grip == Grip::End)
        next = ordered(m_brushFrom.begin, when);
    else {
        model::Duration shift = when - m_gripFrom;
        shift = std::clamp(shift, m_whole.begin - m_brushFrom.begin, m_whole.end - m_brushFrom.end);
        next = {m_brushFrom.begin + shift, m_brushFrom.end + shift};
    }
    if (next.isEmpty())
        return;
    m_selection.setTime(next, gesture);
    m_hasMoved = true;
}

void TimelineView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_grip = gripAt(event->position());
    m_hasMoved = false;
    m_gripFrom = scale().at(event->position().x());
    m_brushFrom = m_selection.current().time.value_or(m_whole);
}

void TimelineView::mouseMoveEvent(QMouseEvent *event)
{
    showCursor(event->position());
    // A dragged edge goes on to the very begin when the pointer is moved past it.
    if (!m_snapshot || (m_grip == Grip::None && event->position().x() < plot().left())) {
        m_selection.setCrosshair(std::nullopt);
        return;
    }
    const model::Timestamp when = scale().at(event->position().x());
    m_selection.setCrosshair(when);
    if (m_grip != Grip::None && (m_hasMoved || std::abs(scale().x(m_gripFrom) - event->position().x()) >= 3))
        moveGrip(when);
}

void TimelineView::mouseReleaseEvent(QMouseEvent *event)
{
    m_grip = Grip::None;
    showCursor(event->position());
    update();
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent *) { showEverything(); }

void TimelineView::contextMenuEvent(QContextMenuEvent *event)
{
    if (!m_snapshot)
        return event->ignore();
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Copy image"), this, [this] { QGuiApplication::clipboard()->setPixmap(grab()); });
    menu->addAction(tr("Show all"), this, &TimelineView::showEverything)
        ->setEnabled(m_zoom.has_value() || m_selection.current().time.has_value());
    menu->popup(event->globalPos());
}

void TimelineView::wheelEvent(QWheelEvent *event)
{
    const QPoint notch = event->angleDelta();
    const int sideways = event->modifiers().testFlag(Qt::ShiftModifier) ? notch.y() : notch.x();
    if (!m_snapshot || notch.isNull())
        return;
    if (sideways != 0)
        zoomTo(scale().panned(sideways > 0 ? -0.1 : 0.1, m_whole));
    else
        zoomTo(scale().zoomed(event->position().x(), notch.y() > 0 ? kCloser : 1 / kCloser, m_whole));
    event->accept();
}

void TimelineView::zoomTo(model::TimeRange range)
{
    m_zoom = range == m_whole ? std::nullopt : std::optional(range);
    invalidate();
}

void TimelineView::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    m_isReachedByKey = isByKey(*event);
    update();
}

void TimelineView::focusOutEvent(QFocusEvent *event)
{
    QWidget::focusOutEvent(event);
    m_isReachedByKey = false;
    update();
}

void TimelineView::leaveEvent(QEvent *event)
{
    m_selection.setCrosshair(std::nullopt);
    QWidget::leaveEvent(event);
}

void TimelineView::keyPressEvent(QKeyEvent *event)
{
    const auto &time = m_selection.current().time;
    const int key = event->key();
    const int direction = key == Qt::Key_Right ? 1 : key == Qt::Key_Left ? -1 : 0;
    const double x = time ? scale().x(time->begin + model::Duration{time->length().ns / 2}) : plot().center().x();
    if (key == Qt::Key_Escape && m_zoom && !time)
        zoomTo(m_whole);
    else if (key == Qt::Key_Escape)
        m_selection.stepBack();
    else if (!m_snapshot)
        QWidget::keyPressEvent(event);
    else if (direction != 0 && event->modifiers().testFlag(Qt::ControlModifier))
        zoomTo(scale().panned(direction * 0.25, m_whole));
    else if (direction != 0)
        moveBrush(direction, event->modifiers().testFlag(Qt::ShiftModifier) ? Grip::End : Grip::Whole);
    else if (key == Qt::Key_Plus || key == Qt::Key_Equal || key == Qt::Key_Minus)
        zoomTo(scale().zoomed(x, key == Qt::Key_Minus ? 1 / kCloser : kCloser, m_whole));
    else if (key == Qt::Key_Home)
        showEverything();
    else
        QWidget::keyPressEvent(event);
}

/// A tenth of the brush to one side; where there is none, one is made.
void TimelineView::moveBrush(int direction, Grip grip)
{
    const model::TimeRange usual{m_whole.begin, m_whole.begin + model::Duration{m_whole.length().ns / 10}};
    const model::TimeRange brush = m_selection.current().time.value_or(usual);
    const model::Duration step{direction * std::max<std::int64_t>(brush.length().ns / 10, 1'000'000)};
    m_grip = grip;
    m_brushFrom = brush;
    m_gripFrom = grip == Grip::End ? model::Timestamp{} : brush.begin;
    m_hasMoved = false;
    moveGrip(grip == Grip::End ? std::min(brush.end + step, m_whole.end) : brush.begin + step);
    m_grip = Grip::None;
}

void TimelineView::showEverything()
{
    m_zoom.reset();
    m_selection.setTime(std::nullopt);
    invalidate();
}

QString TimelineView::hoverText(model::Timestamp when) const
{
    QStringList lines{
        text(model::formatMoment(when, m_whole.length(), m_snapshot->info.startWallNs, m_snapshot->info.utcOffset))
        + QStringLiteral("  +") + text(model::formatOffset(when))};
    for (const Track &track : m_tracks)
        for (const ChartLine &line : track.lines)
            if (const auto point = line.series.nearest(when))
                lines << line.label + QStringLiteral(": ") + text(model::formatValue(point->value, track.unit));
    for (const model::Mark &mark : model::timelineMarks(*m_snapshot))
        if (std::abs(scale().x(mark.when) - scale().x(when)) < kGripPixels)
            lines << text(mark.text);
    return lines.join(u'\n');
}

bool TimelineView::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip && m_snapshot) {
        const auto *help = static_cast<QHelpEvent *>(event);
        if (help->pos().x() >= plot().left())
            QToolTip::showText(help->globalPos(), hoverText(scale().at(help->pos().x())), this);
        else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

void TimelineView::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    invalidate();
}

void TimelineView::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    invalidate();
}

void TimelineView::invalidate()
{
    m_cache = QPixmap();
    update();
}

} // namespace ui
