// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"

#include <algorithm>

namespace ui {

/// Maps moments to pixels of a plot and back.
struct TimeScale
{
    model::TimeRange range;
    double left = 0;  ///< of the plot, in pixels
    double width = 1; ///< of the plot, in pixels

    double x(model::Timestamp when) const
    {
        const auto length = static_cast<double>(range.length().ns);
        return length > 0 ? left + static_cast<double>((when - range.begin).ns) / length * width : left;
    }

    /// The moment at `x`, kept within the range.
    model::Timestamp at(double x) const
    {
        const double share = width > 0 ? std::clamp((x - left) / width, 0.0, 1.0) : 0.0;
        return range.begin + model::Duration{static_cast<std::int64_t>(share * static_cast<double>(range.length().ns))};
    }

    /// `range` zoomed by `factor` (below 1: closer) around the moment at `x`, within `bounds` and not shorter than a millisecond.
    model::TimeRange zoomed(double pointerX, double factor, model::TimeRange bounds) const
    {
        const model::Timestamp center = at(pointerX);
        const auto scaled = [factor](model::Duration d) {
            return model::Duration{static_cast<std::int64_t>(static_cast<double>(d.ns) * factor)};
        };
        model::TimeRange next{center - scaled(center - range.begin), center + scaled(range.end - center)};
        next.begin = std::max(next.begin, bounds.begin);
        next.end = std::min(next.end, bounds.end);
        if (next.length() < model::Duration::fromMs(1))
            return range;
        return next;
    }

    /// `range` moved by a share of its length (below 0: earlier), as far as `bounds` go.
    model::TimeRange panned(double share, model::TimeRange bounds) const
    {
        const model::Duration wanted{static_cast<std::int64_t>(share * static_cast<double>(range.length().ns))};
        const model::Duration earliest = bounds.begin - range.begin;
        const model::Duration latest = bounds.end - range.end;
        const model::Duration shift = latest < earliest ? model::Duration{} : std::clamp(wanted, earliest, latest);
        return {range.begin + shift, range.end + shift};
    }
};

} // namespace ui
