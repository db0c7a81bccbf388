// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/html_chart.h"

#include "model/layout/axis_ticks.h"
#include "model/report/html_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace model {

namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 190;
constexpr double kLeft = 76;  ///< room for the labels of values
constexpr double kRight = 84; ///< and of lines
constexpr double kTop = 10;
constexpr double kBottom = 24;
constexpr double kLabelStep = 14;
constexpr std::size_t kColumns = 480;

/// Where times and values stand in the picture.
class Plot
{
public:
    Plot(TimeRange span, Axis axis)
        : m_span(span)
        , m_axis(std::move(axis))
    {
    }

    const Axis &axis() const { return m_axis; }
    double x(Timestamp when) const
    {
        const double length = std::max(m_span.length().seconds(), 1e-9);
        const double share = (when - m_span.begin).seconds() / length;
        return kLeft + std::clamp(share, 0.0, 1.0) * (kWidth - kLeft - kRight);
    }
    double y(double value) const
    {
        const double length = std::max(m_axis.greatest - m_axis.least, 1e-12);
        return kHeight - kBottom - (value - m_axis.least) / length * (kHeight - kTop - kBottom);
    }

private:
    TimeRange m_span;
    Axis m_axis;
};

void writeGrid(std::ostream &out, const Snapshot &snapshot, const Plot &plot)
{
    for (const AxisTick &tick : plot.axis().ticks) {
        const double y = plot.y(tick.value);
        out << fmt::format(
            "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, kWidth - kRight, y, y);
        out << fmt::format(
            "<text class=\"end\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", kLeft - 8, y + 4, escapedHtml(tick.label));
    }
    for (const TimeTick &tick :
        timeTicks(snapshot.span, TimeLabels::Clock, snapshot.info.startWallNs, snapshot.info.utcOffset))
        out << fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{}\">{}</text>\n", plot.x(tick.when), kHeight - 6,
            escapedHtml(tick.label));
    for (const Mark &mark : snapshot.marks)
        if (snapshot.span.contains(mark.when))
            out << fmt::format("<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\">"
                               "<title>{3}</title></line>\n",
                plot.x(mark.when), kTop, kHeight - kBottom, escapedHtml(mark.text));
}

void writeLine(std::ostream &out, const Plot &plot, TimeRange span, const HtmlLine &line)
{
    for (const std::vector<SeriesPoint> &segment : downsampled(line.series, span, kColumns).segments) {
        std::string points;
        for (const SeriesPoint &point : segment)
            if (span.begin <= point.when && point.when <= span.end)
                points += fmt::format("{:.1f},{:.1f} ", plot.x(point.when), plot.y(point.value));
        if (!points.empty())
            out << fmt::format("<polyline class=\"line {}\" points=\"{}\"/>\n", line.style, points);
    }
}

} // namespace

void writeHtmlChart(std::ostream &out, const Snapshot &snapshot, const std::string &title, Unit unit,
    const std::vector<HtmlLine> &lines)
{
    double greatest = 0;
    double least = 0;
    bool hasPoints = false;
    for (const HtmlLine &line : lines) {
        const auto extent = line.series.extent(snapshot.span);
        if (!extent)
            continue;
        hasPoints = true;
        greatest = std::max(greatest, extent->greatest);
        least = std::min(least, extent->least);
    }
    if (!hasPoints)
        return;
    const Plot plot(snapshot.span, valueAxis(least, greatest, unit));
    out << "<figure><figcaption>" << escapedHtml(title) << "</figcaption>"
        << fmt::format(
               "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight, escapedHtml(title));
    writeGrid(out, snapshot, plot);
    std::vector<std::pair<double, const HtmlLine *>> labels;
    for (const HtmlLine &line : lines) {
        writeLine(out, plot, snapshot.span, line);
        if (const auto last = line.series.nearest(snapshot.span.end))
            labels.emplace_back(plot.y(last->value), &line);
    }
    std::sort(labels.begin(), labels.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    double above = -kLabelStep;
    for (const auto &[y, line] : labels) {
        above = std::max(y, above + kLabelStep);
        out << fmt::format("<text class=\"label {}\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", line->style,
            kWidth - kRight + 6, above + 4, escapedHtml(line->label));
    }
    out << "</svg></figure>\n";
}

} // namespace model
