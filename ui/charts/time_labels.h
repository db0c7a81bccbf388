// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"
#include "ui/charts/time_scale.h"

#include <QFontMetricsF>
#include <QString>

#include <cstdint>
#include <string>
#include <vector>

namespace ui {

/// A moment's name below a plot.
struct TimeLabel
{
    QString text;
    double left = 0; ///< in pixels, as `scale` has them
};

/// The clock at round times below a plot: at most `most`, fewer where they would touch each other, none beyond its edges.
std::vector<TimeLabel> clockLabels(const TimeScale &scale, std::int64_t startWallNs, const std::string &utcOffset,
    const QFontMetricsF &metrics, std::size_t most);

} // namespace ui
