// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/analysis/forecast.h"
#include "ui/theme_colors.h"

#include <QString>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ui {

/// A colour by its purpose or, where several quantities share a chart, by its place among them.
struct SeriesColor
{
    std::optional<Token> token;
    std::size_t index = 0; ///< used without token

    QColor in(const Colors &colors) const { return token ? colors[*token] : colors.series(index); }
};

enum class LineFill { None, Below };

/// One line of a chart.
struct ChartLine
{
    QString label; ///< written at its end
    model::TimeSeries series;
    SeriesColor color;
    LineFill fill = LineFill::None;
    std::string_view key;                       ///< its column in a table; empty: that of the series' source
    std::optional<model::Timestamp> drawnUntil; ///< of its last value, see model::drawnUntil(); empty: as read
};

/// A line across the chart.
struct ChartLimit
{
    double value = 0;
    QString label;
};

enum class Stacking {
    Lines, ///< each line by itself
    Areas, ///< lines are parts that add up; all have the same moments
};

/// What a time chart shows. A value.
struct ChartContent
{
    model::Unit unit = model::Unit::Count;
    model::TimeRange range; ///< the time axis
    std::vector<ChartLine> lines;
    Stacking stacking = Stacking::Lines;
    std::optional<ChartLimit> limit;
    std::vector<model::ForecastBand> bands;   ///< drawn behind the lines, with the median dashed
    std::optional<model::Timestamp> now;      ///< where history ends
    QString nowLabel;                         ///< what that is called; empty: "now"
    std::optional<model::Timestamp> crossing; ///< where the median meets the limit
    QString crossingLabel;
    std::vector<model::Gap> gaps;
    std::optional<model::Timestamp> firstTick; ///< its end: a line's first value there is drawn for all of that tick
    std::int64_t startWallNs = 0;              ///< of the recording, as in SessionInfo
    std::string utcOffset;
};

} // namespace ui
