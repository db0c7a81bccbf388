// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace model {

/// A line of a chart.
struct HtmlLine
{
    std::string label;
    std::string style; ///< class in report.css: "memory", "cpu", "heap", "wait"
    TimeSeries series;
};

/// Writes lines over the snapshot's selected time as a picture (SVG) with axes, units, marks and gaps; all lines have `unit`. Nothing where no line
/// has a point.
void writeHtmlChart(std::ostream &out, const Snapshot &snapshot, const std::string &title, Unit unit,
    const std::vector<HtmlLine> &lines);

} // namespace model
