// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_frame.h"

#include "ui/text.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {
constexpr double kGap = 8;
constexpr double kMostLabelShare = 0.3; ///< of the width, for names at the lines' ends

/// Where a layer of stacked areas lies at a moment, between its samples on the straight line that is painted.
std::pair<double, double> layerAt(const ChartContent &content, std::size_t layer, model::Timestamp when)
{
    const auto valueAt = [when](const model::TimeSeries &series) {
        for (const auto &segment : series.segments) {
            const auto next = std::lower_bound(segment.begin(), segment.end(), when,
                [](const auto &point, model::Timestamp moment) { return point.when < moment; });
            if (next == segment.end())
                continue;
            if (next == segment.begin() || next->when == when)
                return next->value;
            const auto before = next - 1;
            const double part = (when - before->when).seconds() / (next->when - before->when).seconds();
            return before->value + part * (next->value - before->value);
        }
        return series.segments.empty() || series.segments.back().empty() ? 0.0 : series.segments.back().back().value;
    };
    double low = 0;
    for (std::size_t i = 0; i < layer; ++i)
        low += valueAt(content.lines[i].series);
    return {low, low + valueAt(content.lines[layer].series)};
}

} // namespace

model::TimeSeries::Extent valueExtent(const ChartContent &content)
{
    model::TimeSeries::Extent extent{0, 0};
    bool isFirst = true;
    double stacked = 0;
    const auto add = [&](double least, double greatest) {
        extent.least = isFirst ? least : std::min(extent.least, least);
        extent.greatest = isFirst ? greatest : std::max(extent.greatest, greatest);
        isFirst = false;
    };
    for (const ChartLine &line : content.lines)
        if (const auto part = line.series.extent(content.range)) {
            stacked += part->greatest;
            add(part->least, part->greatest);
        }
    if (content.stacking == Stacking::Areas)
        add(0, stacked);
    for (const model::ForecastBand &band : content.bands)
        add(band.q05, band.q95);
    // A limit far above everything would flatten the lines: it is then named at the upper edge instead.
    if (content.limit && content.limit->value <= extent.greatest * 3)
        add(extent.least, content.limit->value * 1.04);
    return extent;
}

ChartFrame::ChartFrame(const ChartContent &content, QSizeF size, const QFont &font, const ChartFrame &previous)
    : m_font(font)
    , m_width(size.width())
    , m_range(content.range)
    , m_unit(content.unit)
    , m_limit(content.limit)
    , m_isStacked(content.stacking == Stacking::Areas)
{
    layOutAxis(content, previous);
    layOutPlot(content, size);
    layOutLabels(content);
}

void ChartFrame::layOutAxis(const ChartContent &content, const ChartFrame &previous)
{
    const auto extent = valueExtent(content);
    const double least = std::min(0.0, extent.least);
    const bool fits = previous.m_unit == m_unit && !previous.m_axis.ticks.empty() && previous.m_axis.least <= least
        && extent.greatest <= previous.m_axis.greatest && extent.greatest >= previous.m_axis.greatest * 0.45
        && (least >= 0) == (previous.m_axis.least >= 0);
    m_axis = fits ? previous.m_axis : model::valueAxis(least, extent.greatest, m_unit);
}

void ChartFrame::layOutPlot(const ChartContent &content, QSizeF size)
{
    const QFontMetricsF metrics(m_font);
    double axisWidth = 0;
    for (const model::AxisTick &tick : m_axis.ticks)
        axisWidth = std::max(axisWidth, metrics.horizontalAdvance(text(tick.label)));
    double labelWidth = 0;
    if (!m_isStacked)
        for (const ChartLine &line : content.lines)
            labelWidth = std::max(labelWidth, metrics.horizontalAdvance(line.label));
    labelWidth = labelWidth > 0 ? std::min(labelWidth + kGap, size.width() * kMostLabelShare) : 0;
    m_plot = QRectF(QPointF(axisWidth + kGap, metrics.height() / 2 + 2),
        QPointF(size.width() - std::max(labelWidth, 16.0), size.height() - metrics.height() - kGap));
    m_plot = m_plot.normalized();
    const auto most = static_cast<std::size_t>(std::clamp(m_plot.width() / 90, 2.0, 5.0));
    m_times = clockLabels(scale(), content.startWallNs, content.utcOffset, metrics, most);
    for (const model::Gap &gap : content.gaps)
        if (gap.span.intersects(m_range)) {
            const double left = std::max(scale().x(gap.span.begin), m_plot.left());
            const double right = std::min(scale().x(gap.span.end), m_plot.right());
            // What cannot be told apart is one: a target that is stopped thousands of times is painted once a pixel.
            if (!m_gaps.empty() && left >= m_gaps.back().left() && left < m_gaps.back().right() + 1)
                m_gaps.back().setRight(std::max(m_gaps.back().right(), right));
            else
                m_gaps.emplace_back(left, m_plot.top(), std::max(right - left, 1.0), m_plot.height());
        }
    if (content.now && m_range.contains(*content.now))
        m_nowX = scale().x(*content.now);
    m_nowLabel = content.nowLabel.isEmpty() ? QStringLiteral("now") : content.nowLabel;
    if (content.crossing && content.limit && m_range.contains(*content.crossing)) {
        m_crossing = QPointF(scale().x(*content.crossing), y(content.limit->value));
        m_crossingLabel = content.crossingLabel;
    }
}

/// At the right end of each layer, where its name lies within the layer on its whole length; else hovering names it.
void ChartFrame::layOutLayerLabels(const ChartContent &content)
{
    const QFontMetricsF metrics(m_font);
    for (std::size_t i = 0; i < content.lines.size(); ++i) {
        const ChartLine &line = content.lines[i];
        const auto last = line.series.nearest(m_range.end);
        if (!last || line.label.isEmpty())
            continue;
        const double width = metrics.horizontalAdvance(line.label);
        const double right = std::min(scale().x(last->when), m_plot.right()) - kGap; // areas may end before the range
        const auto segment = std::find_if(line.series.segments.rbegin(), line.series.segments.rend(),
            [&last](const auto &points) { return points.front().when <= last->when; });
        const bool isLong = segment != line.series.segments.rend() && scale().x(segment->front().when) <= right - width;
        if (right - width - kGap <= m_plot.left() || !isLong)
            continue;
        double top = m_plot.top();
        double bottom = m_plot.bottom();
        for (const double x : {right - width, right - width / 2, right}) {
            const auto [low, high] = layerAt(content, i, scale().at(x));
            top = std::max(top, y(high));
            bottom = std::min(bottom, y(low));
        }
        if (bottom - top >= metrics.height() * 0.9)
            m_labels.push_back({{right - width, (top + bottom) / 2}, line.label, line.color});
    }
}

void ChartFrame::layOutLabels(const ChartContent &content)
{
    if (m_isStacked) {
        layOutLayerLabels(content);
        return;
    }
    const QFontMetricsF metrics(m_font);
    for (const ChartLine &line : content.lines)
        if (const auto last = line.series.nearest(m_range.end); last && !line.label.isEmpty())
            m_labels.push_back({{m_plot.right() + kGap, y(last->value)}, line.label, line.color});
    // Keep names apart: from the top down, then push back up what left the plot.
    std::sort(
        m_labels.begin(), m_labels.end(), [](const Label &a, const Label &b) { return a.place.y() < b.place.y(); });
    const double step = metrics.height();
    for (std::size_t i = 1; i < m_labels.size(); ++i)
        m_labels[i].place.setY(std::max(m_labels[i].place.y(), m_labels[i - 1].place.y() + step));
    double bottom = m_plot.bottom();
    for (std::size_t i = m_labels.size(); i-- > 0; bottom = m_labels[i].place.y() - step)
        m_labels[i].place.setY(std::min(m_labels[i].place.y(), bottom));
}

double ChartFrame::valueAt(double y) const
{
    const double share = m_plot.height() > 0 ? (m_plot.bottom() - y) / m_plot.height() : 0;
    return m_axis.least + share * (m_axis.greatest - m_axis.least);
}

std::optional<double> ChartFrame::limitY() const
{
    return m_limit ? std::optional(std::max(y(m_limit->value), m_plot.top())) : std::nullopt;
}

double ChartFrame::y(double value) const
{
    const double span = m_axis.greatest - m_axis.least;
    return span > 0 ? m_plot.bottom() - (value - m_axis.least) / span * m_plot.height() : m_plot.bottom();
}

void ChartFrame::paintBehind(QPainter &painter, const Colors &colors) const
{
    painter.setFont(m_font);
    const QFontMetricsF metrics(m_font);
    for (const QRectF &gap : m_gaps)
        painter.fillRect(gap, QBrush(colors.soft(Token::InkMuted, 0.5), Qt::BDiagPattern));
    for (const model::AxisTick &tick : m_axis.ticks) {
        const double height = std::round(y(tick.value)) + 0.5;
        painter.setPen(QPen(colors[Token::Line], 1));
        painter.drawLine(QPointF(m_plot.left(), height), QPointF(m_plot.right(), height));
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(QRectF(0, height - metrics.height() / 2, m_plot.left() - kGap, metrics.height()),
            Qt::AlignRight | Qt::AlignVCenter, text(tick.label));
    }
    painter.setPen(colors[Token::InkMuted]);
    for (const TimeLabel &time : m_times)
        painter.drawText(QPointF(time.left, m_plot.bottom() + kGap / 2 + metrics.ascent() + 2), time.text);
}

void ChartFrame::paintLimit(QPainter &painter, const Colors &colors) const
{
    const QFontMetricsF metrics(m_font);
    const bool isInside = m_limit->value <= m_axis.greatest;
    const QColor color = colors[isInside ? Token::Danger : Token::InkMuted]; // far away it is no news
    painter.setPen(QPen(color, 1.2));
    const double height = isInside ? y(m_limit->value) : m_plot.top();
    if (isInside)
        painter.drawLine(QPointF(m_plot.left(), height), QPointF(m_plot.right(), height));
    const QString label = isInside ? m_limit->label : QStringLiteral("↑ ") + m_limit->label;
    const bool hasRoomAbove = height - metrics.height() > 0 && isInside;
    const QPointF place(m_plot.left() + 6, hasRoomAbove ? height - 4 : height + metrics.ascent() + 2);
    QColor behind = colors[Token::Raised]; // areas may lie there
    behind.setAlphaF(0.85F);
    painter.fillRect(metrics.boundingRect(label).translated(place).adjusted(-3, 0, 3, 0), behind);
    painter.drawText(place, label);
}

void ChartFrame::paintInFront(QPainter &painter, const Colors &colors) const
{
    painter.setFont(m_font);
    const QFontMetricsF metrics(m_font);
    if (m_nowX) {
        painter.setPen(QPen(colors[Token::InkMuted], 1, Qt::DotLine));
        painter.drawLine(QPointF(*m_nowX, m_plot.top()), QPointF(*m_nowX, m_plot.bottom()));
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(QPointF(*m_nowX + 5, m_plot.bottom() - 5), m_nowLabel);
    }
    if (m_limit)
        paintLimit(painter, colors);
    if (m_crossing) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[Token::Danger]);
        painter.drawEllipse(*m_crossing, 4, 4);
        painter.setPen(colors[Token::Ink]);
        const double width = metrics.horizontalAdvance(m_crossingLabel);
        const double x = std::clamp(m_crossing->x() - width / 2, m_plot.left(), m_plot.right() - width);
        painter.drawText(QPointF(x, m_crossing->y() + metrics.height() + 4), m_crossingLabel);
    }
    for (const Label &label : m_labels) {
        const QColor color = label.color.in(colors);
        painter.setPen(
            m_isStacked ? (contrast(Qt::white, color) >= contrast(Qt::black, color) ? Qt::white : Qt::black) : color);
        const double room = m_isStacked ? m_plot.width() : m_width - label.place.x();
        painter.drawText(QPointF(label.place.x(), label.place.y() + metrics.ascent() / 2 - 1),
            metrics.elidedText(label.text, Qt::ElideMiddle, std::max(room, 40.0)));
    }
}

} // namespace ui
