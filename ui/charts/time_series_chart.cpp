// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/time_series_chart.h"

#include "model/aggregate/mean_series.h"
#include "model/base/format_units.h"
#include "ui/charts/chart_hover.h"
#include "ui/charts/focus_ring.h"
#include "ui/text.h"
#include "ui/theme.h"

#include <QFocusEvent>
#include <QMouseEvent>
#include <QtCharts/QAreaSeries>
#include <QtCharts/QLineSeries>
#include <QtCharts/QValueAxis>

#include <algorithm>

namespace ui {

namespace {

constexpr double kCloser = 0.8; ///< of the time that is shown, a notch of the wheel or a key

/// Seconds since the range's begin: keeps x small, so that doubles are exact to the nanosecond.
double xOf(model::Timestamp when, model::TimeRange range) { return (when - range.begin).seconds(); }

QList<QPointF> pointsOf(const std::vector<model::SeriesPoint> &segment, model::TimeRange range)
{
    QList<QPointF> points;
    points.reserve(static_cast<qsizetype>(segment.size()));
    for (const model::SeriesPoint &point : segment)
        points.append({xOf(point.when, range), point.value});
    return points;
}

/// What a part of a line is drawn through. The first value of a recording reaches back over its tick; a value alone is given some pixels, as a
/// dot would be cut off at the edges.
std::vector<model::SeriesPoint> reachingBack(
    std::vector<model::SeriesPoint> segment, const ChartContent &content, double plotWidth)
{
    constexpr double kLeastPixels = 6;
    const model::SeriesPoint first = segment.front();
    std::optional<model::Timestamp> from;
    if (segment.size() == 1)
        from = first.when
            - model::Duration{static_cast<std::int64_t>(
                static_cast<double>(content.range.length().ns) / std::max(plotWidth, 1.0) * kLeastPixels)};
    if (content.firstTick == first.when)
        from = std::min(from.value_or(first.when), model::Timestamp{});
    if (from)
        segment.insert(segment.begin(), {std::max(*from, std::min(content.range.begin, first.when)), first.value});
    return segment;
}

/// The parts of a line as they are drawn, two points a pixel; the last value as long as the line says.
std::vector<std::vector<model::SeriesPoint>> partsOf(const ChartLine &line, model::TimeRange range, std::size_t columns)
{
    auto parts = model::downsampled(line.series, range, columns).segments;
    if (line.drawnUntil && !parts.empty()
        && line.series.segments.back().front().when <= parts.back().back().when) // not over a gap
        parts.back().push_back({*line.drawnUntil, line.series.last()->value});
    return parts;
}

QLineSeries *lineOf(const QList<QPointF> &points, QObject *parent)
{
    auto *series = new QLineSeries(parent);
    series->replace(points);
    return series;
}

/// An area between two lines of the same moments.
QAreaSeries *areaOf(const QList<QPointF> &upper, const QList<QPointF> &lower, const QColor &color, QObject *parent)
{
    auto *area = new QAreaSeries(parent);
    area->setUpperSeries(lineOf(upper, area));
    area->setLowerSeries(lineOf(lower, area));
    area->setBrush(color);
    area->setPen(Qt::NoPen);
    return area;
}

QList<QPointF> flattened(QList<QPointF> points, double value)
{
    for (QPointF &point : points)
        point.setY(value);
    return points;
}

QPen linePen(const QColor &color, Qt::PenStyle style = Qt::SolidLine)
{
    QPen pen(color, 1.6, style, Qt::RoundCap, Qt::RoundJoin);
    return pen;
}

} // namespace

TimeSeriesChart::TimeSeriesChart(Selection &selection, ChartGestures gestures, QWidget *parent)
    : QChartView(parent)
    , m_selection(selection)
    , m_gestures(gestures)
{
    setUpChart();
    connect(&selection, &Selection::crosshairMoved, this, [this] { viewport()->update(); });
}

void TimeSeriesChart::setUpChart()
{
    setFrameShape(QFrame::NoFrame);
    setRenderHint(QPainter::Antialiasing);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMinimumHeight(120);
    setBackgroundBrush(Qt::NoBrush);
    viewport()->setAutoFillBackground(false);
    chart()->legend()->hide();
    chart()->setBackgroundVisible(false);
    chart()->setMargins({});
    chart()->setAnimationOptions(QChart::NoAnimation);
    for (const Qt::Alignment side : {Qt::AlignBottom, Qt::AlignLeft}) {
        auto *axis = new QValueAxis(chart());
        axis->setVisible(false);
        chart()->addAxis(axis, side);
    }
}

void TimeSeriesChart::setContent(const ChartContent &content, model::TimeRange bounds)
{
    const std::optional<ChartLimit> moved = m_isMovingLimit ? m_content.limit : std::nullopt;
    m_content = content;
    if (moved && m_content.limit)
        m_content.limit->value = moved->value; // the pointer holds it
    m_bounds = bounds;
    rebuild();
}

void TimeSeriesChart::add(QAbstractSeries *series)
{
    chart()->addSeries(series);
    for (QAbstractAxis *axis : chart()->axes())
        series->attachAxis(axis);
}

void TimeSeriesChart::rebuild()
{
    const Colors &colors = Colors::of(this);
    m_frame = ChartFrame(m_content, viewport()->size(), textFont(font(), TextSize::Caption), m_frame);
    chart()->removeAllSeries();
    chart()->setPlotArea(m_frame.plot());
    const auto axes = chart()->axes();
    axes[0]->setRange(0.0, std::max(m_content.range.length().seconds(), 1e-9));
    axes[1]->setRange(m_frame.axis().least, m_frame.axis().greatest);
    addBands(colors);
    if (m_content.stacking == Stacking::Areas)
        addStack(colors);
    else
        for (const ChartLine &line : m_content.lines)
            addLine(line, colors);
    resetCachedContent();
    viewport()->update();
}

void TimeSeriesChart::addBands(const Colors &colors)
{
    QList<QPointF> quantiles[5];
    for (const model::ForecastBand &band : m_content.bands) {
        const double values[5]{band.q05, band.q25, band.q50, band.q75, band.q95};
        for (std::size_t i = 0; i < 5; ++i)
            quantiles[i].append({xOf(band.when, m_content.range), values[i]});
    }
    if (m_content.bands.size() < 2)
        return;
    const QColor color = m_content.lines.empty() ? colors[Token::Memory] : m_content.lines.front().color.in(colors);
    add(areaOf(quantiles[4], quantiles[0], mixed(color, colors[Token::Raised], 0.16), chart()));
    add(areaOf(quantiles[3], quantiles[1], mixed(color, colors[Token::Raised], 0.34), chart()));
    QLineSeries *median = lineOf(quantiles[2], chart());
    median->setPen(linePen(color, Qt::DashLine));
    add(median);
}

void TimeSeriesChart::addLine(const ChartLine &line, const Colors &colors)
{
    const QColor color = line.color.in(colors);
    const auto columns = static_cast<std::size_t>(std::max(m_frame.plot().width(), 1.0));
    // Least and greatest of each pixel are kept, but would cover everything: the mean is drawn through them.
    const bool dense = model::isDense(line.series, m_content.range, columns);
    for (const auto &segment : partsOf(line, m_content.range, columns)) {
        const QList<QPointF> points
            = pointsOf(reachingBack(segment, m_content, m_frame.plot().width()), m_content.range);
        if (line.fill == LineFill::Below)
            add(areaOf(
                points, flattened(points, m_frame.axis().least), mixed(color, colors[Token::Raised], 0.14), chart()));
        QLineSeries *series = lineOf(points, chart());
        series->setPen(linePen(dense ? mixed(color, colors[Token::Raised], 0.35) : color));
        add(series);
    }
    constexpr std::size_t kPixelsPerMean = 4;
    if (dense)
        for (const auto &segment :
            model::meanSeries(line.series, m_content.range, columns / kPixelsPerMean + 1).segments) {
            QLineSeries *mean = lineOf(pointsOf(segment, m_content.range), chart());
            mean->setPen(linePen(color));
            add(mean);
        }
}

void TimeSeriesChart::addStack(const Colors &colors)
{
    if (m_content.lines.empty())
        return;
    // The parts share their moments; those of the last part's extremes stand for all.
    const auto columns = static_cast<std::size_t>(std::max(m_frame.plot().width(), 1.0));
    for (const auto &part : partsOf(m_content.lines.front(), m_content.range, columns)) {
        const auto segment = reachingBack(part, m_content, m_frame.plot().width());
        QList<QPointF> lower = flattened(pointsOf(segment, m_content.range), 0);
        for (const ChartLine &line : m_content.lines) {
            QList<QPointF> upper = lower;
            for (qsizetype i = 0; i < upper.size(); ++i)
                if (const auto point = line.series.nearest(segment[static_cast<std::size_t>(i)].when))
                    upper[i].ry() += point->value;
            add(areaOf(upper, lower, mixed(line.color.in(colors), colors[Token::Raised], 0.8), chart()));
            lower = upper;
        }
    }
}

void TimeSeriesChart::drawBackground(QPainter *painter, const QRectF &)
{
    m_frame.paintBehind(*painter, Colors::of(this));
}

void TimeSeriesChart::drawForeground(QPainter *painter, const QRectF &)
{
    const Colors &colors = Colors::of(this);
    m_frame.paintInFront(*painter, colors);
    if (m_dragFrom) {
        const double left = std::min(m_dragFrom->x(), m_pointer.x());
        QColor color = colors[Token::Accent];
        color.setAlphaF(0.15F);
        painter->fillRect(
            QRectF(left, m_frame.plot().top(), std::abs(m_dragFrom->x() - m_pointer.x()), m_frame.plot().height()),
            color);
    }
    if (m_selection.crosshair())
        paintCrosshair(*painter, colors);
    if (m_isReachedByKey)
        paintFocusRing(*painter, viewport()->rect(), colors);
}

void TimeSeriesChart::paintCrosshair(QPainter &painter, const Colors &colors) const
{
    const model::Timestamp when = *m_selection.crosshair();
    if (when < m_content.range.begin || m_content.range.end < when)
        return;
    const double x = m_frame.scale().x(when);
    painter.setPen(QPen(colors[Token::InkMuted], 1));
    painter.drawLine(QPointF(x, m_frame.plot().top()), QPointF(x, m_frame.plot().bottom()));
    if (!m_tellsValues)
        return;
    constexpr double kReachPixels = 6; // a line ends at its last point, and the pointer stands a little beside it
    const auto pixel = static_cast<double>(m_content.range.length().ns) / std::max(m_frame.plot().width(), 1.0);
    const model::Duration reach{static_cast<std::int64_t>(kReachPixels * pixel)};
    const QString title = text(model::formatMoment(when, m_bounds.length(), m_content.startWallNs, m_content.utcOffset))
        + QStringLiteral("   +") + text(model::formatOffset(when));
    paintHoverBox(painter, m_frame.plot(), x, title, hoverLines(m_content, when, reach, colors), colors,
        textFont(font(), TextSize::Caption));
}

QImage TimeSeriesChart::picture()
{
    constexpr qreal kScale = 2;
    const QSize shown = viewport()->size();
    const QSize wanted = shown.expandedTo({720, 280});
    if (wanted != shown)
        resize(wanted);
    QImage image(wanted * kScale, QImage::Format_RGB32);
    image.setDevicePixelRatio(kScale);
    image.fill(Colors::of(this)[Token::Raised]);
    QPainter painter(&image);
    render(&painter, QRectF({}, QSizeF(wanted))); // without a target it would fill the pixels, twice as many
    painter.end();
    if (wanted != shown)
        resize(shown);
    return image;
}

void TimeSeriesChart::resizeEvent(QResizeEvent *event)
{
    QChartView::resizeEvent(event);
    rebuild();
}

void TimeSeriesChart::changeEvent(QEvent *event)
{
    QChartView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange)
        rebuild();
}

bool TimeSeriesChart::isOverLimit(QPointF place) const
{
    constexpr double kReach = 6; // pixels
    const std::optional<double> y = m_frame.limitY();
    return m_isLimitMovable && y && std::abs(place.y() - *y) <= kReach && m_frame.plot().left() <= place.x()
        && place.x() <= m_frame.plot().right();
}

void TimeSeriesChart::moveLimit(double y)
{
    if (!m_content.limit)
        return;
    m_content.limit->value = std::max(m_frame.valueAt(y), m_frame.axis().greatest / 1000);
    m_content.crossing.reset(); // of where it was
    rebuild();
    Q_EMIT limitDragged(m_content.limit->value);
}

void TimeSeriesChart::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton && isOverLimit(event->position())) {
        m_isMovingLimit = true;
        return;
    }
    if (event->button() == Qt::LeftButton && m_gestures == ChartGestures::Select)
        m_dragFrom = m_pointer = event->position();
}

void TimeSeriesChart::mouseMoveEvent(QMouseEvent *event)
{
    m_pointer = event->position();
    if (m_isMovingLimit)
        return moveLimit(m_pointer.y());
    if (m_isLimitMovable)
        viewport()->setCursor(isOverLimit(m_pointer) ? Qt::SizeVerCursor : Qt::ArrowCursor);
    m_tellsValues = true;
    const bool isInside = m_frame.plot().adjusted(-1, -1, 1, 1).contains(m_pointer);
    m_selection.setCrosshair(isInside ? std::optional(m_frame.scale().at(m_pointer.x())) : std::nullopt);
    viewport()->update();
}

void TimeSeriesChart::mouseReleaseEvent(QMouseEvent *event)
{
    m_isMovingLimit = false;
    if (!m_dragFrom)
        return;
    const QPointF from = *m_dragFrom;
    m_dragFrom.reset();
    viewport()->update();
    if (std::abs(from.x() - event->position().x()) < 4)
        return;
    const TimeScale scale = m_frame.scale();
    m_selection.setTime(model::TimeRange{
        scale.at(std::min(from.x(), event->position().x())), scale.at(std::max(from.x(), event->position().x()))});
}

void TimeSeriesChart::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton && m_gestures == ChartGestures::Select)
        m_selection.setTime(std::nullopt);
}

void TimeSeriesChart::wheelEvent(QWheelEvent *event)
{
    const QPoint notch = event->angleDelta();
    const int sideways = event->modifiers().testFlag(Qt::ShiftModifier) ? notch.y() : notch.x();
    if (m_gestures != ChartGestures::Select || notch.isNull()) {
        event->ignore();
        return;
    }
    if (sideways != 0)
        pan(sideways > 0 ? -0.1 : 0.1);
    else
        zoom(event->position().x(), notch.y() > 0 ? kCloser : 1 / kCloser);
    event->accept();
}

void TimeSeriesChart::zoom(double x, double factor) { select(m_frame.scale().zoomed(x, factor, m_bounds)); }

void TimeSeriesChart::pan(double share) { select(m_frame.scale().panned(share, m_bounds)); }

void TimeSeriesChart::select(model::TimeRange range)
{
    m_selection.setTime(range == m_bounds ? std::nullopt : std::optional(range), Gesture::Continued);
}

void TimeSeriesChart::moveCrosshair(double share)
{
    const model::TimeRange range = m_content.range;
    const auto part = [&range](double of) {
        return model::Duration{static_cast<std::int64_t>(of * static_cast<double>(range.length().ns))};
    };
    const auto &shown = m_selection.crosshair();
    const bool isInside = shown && range.begin <= *shown && *shown <= range.end;
    const model::Timestamp from = isInside ? *shown : range.begin + part(0.5);
    m_tellsValues = true;
    m_selection.setCrosshair(std::clamp(from + part(share), range.begin, range.end));
    viewport()->update();
}

void TimeSeriesChart::leaveEvent(QEvent *event)
{
    m_tellsValues = false;
    m_selection.setCrosshair(std::nullopt);
    QChartView::leaveEvent(event);
}

void TimeSeriesChart::focusInEvent(QFocusEvent *event)
{
    QChartView::focusInEvent(event);
    m_isReachedByKey = isByKey(*event);
    viewport()->update();
}

void TimeSeriesChart::focusOutEvent(QFocusEvent *event)
{
    QChartView::focusOutEvent(event);
    if (m_isReachedByKey && m_tellsValues)
        m_selection.setCrosshair(std::nullopt);
    m_isReachedByKey = false;
    viewport()->update();
}

void TimeSeriesChart::keyPressEvent(QKeyEvent *event)
{
    const bool selects = m_gestures == ChartGestures::Select;
    const bool isWide = event->modifiers().testFlag(Qt::ShiftModifier);
    const bool pans = event->modifiers().testFlag(Qt::ControlModifier);
    const double x
        = m_selection.crosshair() ? m_frame.scale().x(*m_selection.crosshair()) : m_frame.plot().center().x();
    const int key = event->key();
    if (key == Qt::Key_Left || key == Qt::Key_Right) {
        const int direction = key == Qt::Key_Left ? -1 : 1;
        if (!pans)
            moveCrosshair(direction * (isWide ? 0.1 : 0.01));
        else if (selects)
            pan(direction * 0.25);
    } else if (selects && (key == Qt::Key_Plus || key == Qt::Key_Equal)) {
        zoom(x, kCloser);
    } else if (selects && key == Qt::Key_Minus) {
        zoom(x, 1 / kCloser);
    } else if (selects && key == Qt::Key_Home) {
        m_selection.setTime(std::nullopt);
    } else if (selects && key == Qt::Key_Escape) {
        m_selection.stepBack();
    } else {
        QChartView::keyPressEvent(event);
    }
}

} // namespace ui
