// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"
#include "model/base/time_range.h"

#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A mark on an axis.
struct AxisTick
{
    double value = 0;
    std::string label;
};

/// An axis that begins and ends at a round number. All labels have the same unit and as many decimals as they need.
struct Axis
{
    double least = 0;
    double greatest = 1;
    std::vector<AxisTick> ticks; ///< ascending; two to five
};

/// An axis for values from `least` to `greatest`: powers of two for bytes, of ten for the others; steps of 1, 2 or 5 (bytes: 1, 2, 4, 8 …).
/// It contains 0 if `least` is not below 0 and `withZero`.
Axis valueAxis(double least, double greatest, Unit unit, bool withZero = true);

enum class TimeLabels : std::uint8_t { Offset, Clock };

/// A mark on the time axis.
struct TimeTick
{
    Timestamp when;
    std::string label; ///< "12:05", or with seconds when the steps are shorter than a minute
};

/// At most `most` marks at round times within `range`, two or more where there is room for them: of the clock or of the offset, as asked.
std::vector<TimeTick> timeTicks(
    TimeRange range, TimeLabels labels, std::int64_t startWallNs, std::string_view utcOffset, std::size_t most = 5);

} // namespace model
