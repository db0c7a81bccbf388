// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_hover.h"

#include "model/base/format_interval.h"
#include "ui/text.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

QString tr(const char *words) { return QCoreApplication::translate("ChartHover", words); }

std::optional<double> valueAt(
    const ChartContent &content, const ChartLine &line, model::Timestamp when, model::Duration reach)
{
    const model::TimeSeries &series = line.series;
    const auto point = series.nearest(when);
    if (!point)
        return std::nullopt;
    if (point->when == content.firstTick && when < point->when)
        return point->value; // drawn for all of that tick
    if (line.drawnUntil && series.last()->when <= when && when <= *line.drawnUntil)
        return point->value;
    const bool isBetween = std::any_of(series.segments.begin(), series.segments.end(),
        [when](const auto &segment) { return segment.front().when <= when && when <= segment.back().when; });
    if (!isBetween && std::abs((point->when - when).ns) > reach.ns)
        return std::nullopt;
    return point->value;
}

/// The forecast at a moment: on the straight line between the two that stand beside it, as it is drawn.
std::optional<model::ForecastBand> bandAt(const std::vector<model::ForecastBand> &bands, model::Timestamp when)
{
    const auto after = std::lower_bound(bands.begin(), bands.end(), when,
        [](const model::ForecastBand &band, model::Timestamp moment) { return band.when < moment; });
    if (after == bands.end())
        return std::nullopt;
    if (after == bands.begin() || after->when == when)
        return *after;
    const model::ForecastBand &before = *(after - 1);
    const double part = (when - before.when).seconds() / (after->when - before.when).seconds();
    model::ForecastBand between = *after;
    for (double model::ForecastBand::*value : {&model::ForecastBand::q05, &model::ForecastBand::q25,
             &model::ForecastBand::q50, &model::ForecastBand::q75, &model::ForecastBand::q95})
        between.*value = std::lerp(before.*value, (*after).*value, part);
    between.when = when;
    return between;
}

std::vector<HoverLine> forecastLines(const ChartContent &content, const model::ForecastBand &band, const Colors &colors)
{
    const auto words = [&content](double value) { return text(model::formatValue(value, content.unit)); };
    const auto span
        = [&content](double low, double high) { return text(model::formatInterval(low, high, content.unit)); };
    const QColor color = content.lines.empty() ? colors[Token::Memory] : content.lines.front().color.in(colors);
    return {{color, tr("median forecast"), words(band.q50)},
        {mixed(color, colors[Token::Raised], 0.34), tr("50 %"), span(band.q25, band.q75)},
        {mixed(color, colors[Token::Raised], 0.16), tr("90 %"), span(band.q05, band.q95)}};
}

} // namespace

std::vector<HoverLine> hoverLines(
    const ChartContent &content, model::Timestamp when, model::Duration reach, const Colors &colors)
{
    if (content.now && *content.now < when)
        if (const auto band = bandAt(content.bands, when))
            return forecastLines(content, *band, colors);
    std::vector<HoverLine> lines;
    double sum = 0;
    for (const ChartLine &line : content.lines)
        if (const auto value = valueAt(content, line, when, reach)) {
            sum += *value;
            lines.push_back({line.color.in(colors), line.label, text(model::formatValue(*value, content.unit))});
        }
    if (lines.empty())
        return {{Qt::transparent, tr("no values here"), {}}};
    if (content.stacking == Stacking::Areas) {
        std::reverse(lines.begin(), lines.end());
        lines.push_back({Qt::transparent, tr("together"), text(model::formatValue(sum, content.unit))});
    }
    return lines;
}

void paintHoverBox(QPainter &painter, const QRectF &plot, double x, const QString &title,
    const std::vector<HoverLine> &lines, const Colors &colors, const QFont &font)
{
    const QFontMetricsF metrics(font);
    double width = metrics.horizontalAdvance(title);
    for (const HoverLine &line : lines)
        width = std::max(width, metrics.horizontalAdvance(line.label + line.value) + 36);
    const double step = metrics.height() + 2;
    QRectF box(0, 0, width + 20, step * static_cast<double>(lines.size() + 1) + 12);
    const bool isLeft = x + 14 + box.width() > plot.right();
    box.moveTopLeft({isLeft ? std::max(x - 14 - box.width(), 0.0) : x + 14, plot.top() + 4});
    painter.setPen(colors[Token::Line]);
    painter.setBrush(colors[Token::Raised]);
    painter.drawRect(box.translated(0.5, 0.5)); // as tooltips are
    painter.setFont(font);
    double y = box.top() + 6;
    painter.setPen(colors[Token::InkMuted]);
    painter.drawText(QRectF(box.left() + 10, y, width, step), Qt::AlignVCenter, title);
    for (const HoverLine &line : lines) {
        y += step;
        painter.fillRect(QRectF(box.left() + 10, y + step / 2 - 4, 8, 8), line.color);
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(QRectF(box.left() + 24, y, width, step), Qt::AlignVCenter, line.label);
        painter.setPen(colors[Token::Ink]);
        painter.drawText(QRectF(box.left() + 10, y, width, step), Qt::AlignVCenter | Qt::AlignRight, line.value);
    }
}

} // namespace ui
