// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/survival_chart.h"

#include "model/base/format_units.h"
#include "model/layout/axis_ticks.h"
#include "ui/text.h"
#include "ui/theme.h"

#include <QApplication>
#include <QPainter>

#include <algorithm>

namespace ui {

SurvivalChart::SurvivalChart(QWidget *parent)
    : QWidget(parent)
{
    setMinimumHeight(120);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
}

void SurvivalChart::setContent(const SurvivalContent &content)
{
    m_content = content;
    update();
}

QImage SurvivalChart::picture()
{
    QImage image(size() * 2, QImage::Format_RGB32);
    image.setDevicePixelRatio(2);
    image.fill(Colors::of(this)[Token::Raised]);
    render(&image, {}, {}, QWidget::DrawChildren);
    return image;
}

void SurvivalChart::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(textFont(QApplication::font(), TextSize::Caption));
    if (m_content.survival.empty()) {
        painter.setPen(Colors::of(this)[Token::InkMuted]);
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, tr("Too few blocks are old enough yet to say."));
        return;
    }
    const Colors &colors = Colors::of(this);
    const QFontMetrics metrics = painter.fontMetrics();
    const double left = metrics.horizontalAdvance(tr("100 %")) + 8.0;
    const QRectF plot(left, 8, std::max(width() - left - 8, 1.0), std::max(height() - 16.0 - metrics.height(), 1.0));
    const auto y = [&](double share) { return plot.bottom() - share * plot.height(); };
    const auto count = static_cast<double>(m_content.survival.size());
    const auto x = [&](double age) { return plot.left() + age / count * plot.width(); };
    for (const double share : {0.0, 0.5, 1.0}) {
        painter.setPen(QPen(colors[Token::Line], 1));
        painter.drawLine(QPointF(plot.left(), y(share)), QPointF(plot.right(), y(share)));
        painter.setPen(colors[Token::InkMuted]);
        painter.drawText(QRectF(0, y(share) - metrics.height() / 2.0, left - 8, metrics.height()),
            Qt::AlignRight | Qt::AlignVCenter, tr("%1 %").arg(share * 100));
    }
    const auto bucketNs = static_cast<double>(std::max<std::int64_t>(m_content.bucket.ns, 1));
    const auto most = static_cast<std::size_t>(std::clamp(plot.width() / 70, 2.0, 5.0));
    for (const model::TimeTick &tick :
        model::timeTicks({{}, {static_cast<std::int64_t>(count * bucketNs)}}, model::TimeLabels::Offset, 0, {}, most)) {
        const QString label = text(model::formatDuration({tick.when.ns}));
        const double middle = x(static_cast<double>(tick.when.ns) / bucketNs);
        const double half = metrics.horizontalAdvance(label) / 2.0;
        painter.drawText(QPointF(std::clamp(middle, plot.left() + half, plot.right() - half) - half,
                             plot.bottom() + 6 + metrics.ascent()),
            label);
    }
    const double old = x(static_cast<double>(m_content.matureAge));
    painter.setPen(QPen(colors[Token::InkMuted], 1, Qt::DashLine));
    painter.drawLine(QPointF(old, plot.top()), QPointF(old, plot.bottom()));
    painter.drawText(QPointF(old + 6, plot.top() + metrics.ascent()), tr("old"));
    QPolygonF line{QPointF(x(0), y(1))};
    for (std::size_t age = 0; age < m_content.survival.size(); ++age)
        line.append({x(static_cast<double>(age) + 1), y(m_content.survival[age])});
    painter.setPen(QPen(colors[Token::Memory], 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(line);
    painter.setPen(colors[Token::Ink]);
    const double last = m_content.survival.back();
    const double above = y(last) - metrics.height() - 4;
    painter.drawText(QRectF(plot.left(), above < 0 ? y(last) + 4 : above, plot.width(), metrics.height()),
        Qt::AlignRight, tr("%1 live on").arg(text(model::formatShare(last))));
}

} // namespace ui
