// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/phase_totals.h"
#include "model/base/format_steady.h"
#include "model/base/format_units.h"
#include "ui/charts/focus_ring.h"
#include "ui/charts/spark_line.h"
#include "ui/charts/time_labels.h"
#include "ui/charts/timeline_view.h"
#include "ui/text.h"
#include "ui/theme.h"

#include <QPainter>

#include <algorithm>

namespace ui {

namespace {

constexpr double kMostNamePx = 480; ///< of a mark, beside it

} // namespace

void TimelineView::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const qreal ratio = devicePixelRatioF();
    if (m_cache.isNull()) {
        m_cache = QPixmap(size() * ratio);
        m_cache.setDevicePixelRatio(ratio);
        m_cache.fill(Colors::of(this)[Token::Raised]);
        QPainter cached(&m_cache);
        paintTracks(cached);
    }
    painter.drawPixmap(0, 0, m_cache);
    if (!m_snapshot)
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    paintBrush(painter, Colors::of(this));
    paintPointer(painter, Colors::of(this));
    if (m_isReachedByKey)
        paintFocusRing(painter, QRectF(rect()), Colors::of(this));
}

void TimelineView::paintTracks(QPainter &painter)
{
    const Colors &colors = Colors::of(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (!m_snapshot)
        return;
    for (const model::Gap &gap : m_snapshot->gaps) {
        const double begin = std::max(scale().x(gap.span.begin), plot().left());
        const double end = std::min(scale().x(gap.span.end), plot().right());
        if (end > begin)
            painter.fillRect(QRectF(begin, plot().top(), end - begin, bottom() - plot().top()),
                QBrush(colors.soft(Token::InkMuted, 0.5), Qt::BDiagPattern));
    }
    for (std::size_t i = 0; i < m_tracks.size(); ++i)
        paintTrack(painter, i, colors);
    // What is live is not comparable across such a moment.
    for (const model::HeapModeChange &step : model::heapStepsIn(*m_snapshot, scale().range)) {
        const double x = scale().x(step.when);
        painter.setPen(QPen(colors[Token::InkMuted], 1, Qt::DashLine));
        painter.drawLine(QPointF(x, plot().top()), QPointF(x, bottom()));
    }
    if (hasEvents())
        paintEvents(painter, colors);
    paintAxis(painter, colors);
}

void TimelineView::paintTrack(QPainter &painter, std::size_t index, const Colors &colors) const
{
    const Track &track = m_tracks[index];
    const QRectF area = trackArea(index);
    double greatest = 0;
    for (const ChartLine &line : track.lines)
        if (const auto extent = line.series.extent(scale().range))
            greatest = std::max(greatest, extent->greatest);
    for (const ChartLine &line : track.lines) {
        const QColor color = line.color.in(colors);
        const QColor below = line.fill == LineFill::Below ? mixed(color, colors[Token::Raised], 0.16) : QColor();
        paintSpark(painter, area, line.series, scale().range, color, below, greatest);
    }
    painter.setFont(textFont(font(), TextSize::Caption));
    painter.setPen(colors[Token::InkMuted]);
    const QRectF label(16, area.top(), m_labelWidth - 28, area.height());
    painter.drawText(label, Qt::AlignLeft | Qt::AlignVCenter, track.label);
    if (const auto last = track.lines.front().series.last()) {
        painter.setFont(textFont(font(), TextSize::Caption, TextWeight::Strong));
        painter.setPen(colors[Token::Ink]);
        painter.drawText(label, Qt::AlignRight | Qt::AlignVCenter, text(model::formatSteady(last->value, track.unit)));
    }
}

void TimelineView::paintEvents(QPainter &painter, const Colors &colors) const
{
    const QFont caption = textFont(font(), TextSize::Caption);
    const QFontMetricsF metrics(caption);
    const double middle = trackArea(m_tracks.size()).top() + 8;
    painter.setFont(caption);
    painter.setPen(colors[Token::InkMuted]);
    painter.drawText(QRectF(16, middle - 9, m_labelWidth - 28, 18), Qt::AlignVCenter, tr("Events"));
    double free = plot().left(); // text may begin here
    const std::vector<model::Mark> marks = model::timelineMarks(*m_snapshot);
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const model::Mark &mark = marks[i];
        const double x = scale().x(mark.when);
        if (mark.when < scale().range.begin || scale().range.end < mark.when)
            continue;
        const Token token = mark.kind == model::MarkKind::User || mark.kind == model::MarkKind::Program ? Token::Accent
            : mark.kind == model::MarkKind::Alert                                                       ? Token::Danger
                                                  : Token::InkMuted;
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[token]);
        const double radius = mark.kind == model::MarkKind::Process ? 2.2 : 3.6;
        painter.drawEllipse(QPointF(x, middle), radius, radius);
        const QString name = text(mark.text);
        const double next = i + 1 < marks.size() ? scale().x(marks[i + 1].when) - 6 : plot().right();
        const double right = std::min(next, plot().right()) - x - 8, left = x - 8 - free;
        const double wanted = std::min(metrics.horizontalAdvance(name), kMostNamePx);
        const double least = std::min(wanted, 40.0);
        // Behind the mark; before it where the edge or the next one leaves no room, or only there the whole name has some.
        const bool isBefore = right < wanted && left >= (right < least ? least : wanted);
        const double room = isBefore ? left : right;
        if (!isBefore && (x + 8 < free || room < least)) {
            free = std::max(free, x + 8);
            continue; // hovering tells
        }
        const QString shown = metrics.elidedText(name, Qt::ElideRight, std::min(room, kMostNamePx));
        const double width = metrics.horizontalAdvance(shown);
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(QPointF(isBefore ? x - 8 - width : x + 8, middle + metrics.ascent() / 2 - 1), shown);
        free = isBefore ? x + 8 : x + 20 + width;
    }
}

void TimelineView::paintAxis(QPainter &painter, const Colors &colors) const
{
    const QFont caption = textFont(font(), TextSize::Caption);
    const QFontMetricsF metrics(caption);
    painter.setFont(caption);
    painter.setPen(colors[Token::InkMuted]);
    const double baseline = height() - metrics.descent() - 4;
    const auto most = static_cast<std::size_t>(std::clamp(plot().width() / 140, 2.0, 8.0));
    for (const TimeLabel &time :
        clockLabels(scale(), m_snapshot->info.startWallNs, m_snapshot->info.utcOffset, metrics, most))
        painter.drawText(QPointF(time.left, baseline), time.text);
    // The numbers beside the tracks are those of the end, whatever is selected or zoomed to.
    const bool isLive = m_snapshot->info.state == model::SessionState::Recording;
    if (!m_tracks.empty())
        painter.drawText(QRectF(16, baseline - metrics.ascent(), m_labelWidth - 28, metrics.height()),
            Qt::AlignRight | Qt::AlignVCenter, isLive ? (m_isHeld ? tr("held") : tr("now")) : tr("at the end"));
}

void TimelineView::paintBrush(QPainter &painter, const Colors &colors) const
{
    const auto time = brush();
    if (!time || !time->intersects(scale().range))
        return;
    const double begin = std::max(scale().x(time->begin), plot().left());
    const double end = std::min(scale().x(time->end), plot().right());
    const double bottom = this->bottom();
    QColor inside = colors[Token::Accent];
    inside.setAlphaF(0.11F);
    painter.fillRect(QRectF(begin, plot().top(), end - begin, bottom - plot().top()), inside);
    for (const double x : {begin, end}) {
        painter.setPen(QPen(colors[Token::Accent], 1.2));
        painter.drawLine(QPointF(x, plot().top()), QPointF(x, bottom));
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[Token::Accent]);
        painter.drawRoundedRect(QRectF(x - 3, (plot().top() + bottom) / 2 - 8, 6, 16), 3, 3);
    }
}

void TimelineView::paintPointer(QPainter &painter, const Colors &colors) const
{
    if (!m_selection.crosshair())
        return;
    const model::Timestamp when = *m_selection.crosshair();
    if (when < scale().range.begin || scale().range.end < when)
        return;
    painter.setPen(QPen(colors[Token::InkMuted], 1));
    const double x = scale().x(when);
    painter.drawLine(QPointF(x, plot().top()), QPointF(x, bottom()));
}

} // namespace ui
