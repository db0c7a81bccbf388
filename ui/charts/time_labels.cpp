// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/time_labels.h"

#include "model/layout/axis_ticks.h"
#include "ui/text.h"

#include <algorithm>

namespace ui {

std::vector<TimeLabel> clockLabels(const TimeScale &scale, std::int64_t startWallNs, const std::string &utcOffset,
    const QFontMetricsF &metrics, std::size_t most)
{
    constexpr double kApart = 12;
    for (; most > 0; --most) {
        std::vector<TimeLabel> labels;
        double free = scale.left; // text may begin here
        bool fits = true;
        for (const model::TimeTick &tick :
            model::timeTicks(scale.range, model::TimeLabels::Clock, startWallNs, utcOffset, most)) {
            QString label = text(tick.label);
            const double width = metrics.horizontalAdvance(label);
            const double rightmost = std::max(scale.left + scale.width - width, scale.left);
            const double left = std::clamp(scale.x(tick.when) - width / 2, scale.left, rightmost);
            fits = fits && left >= free;
            free = left + width + kApart;
            labels.push_back({std::move(label), left});
        }
        if (fits)
            return labels;
    }
    return {};
}

} // namespace ui
