// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

#include <optional>
#include <vector>

namespace model {

/// A series as means of equally long, neighbouring blocks of time.
struct SeriesBlocks
{
    Duration length;
    TimeRange span; ///< of all blocks: a whole number of them, ending at the last point
    std::vector<double> values;
    std::size_t filled = 0; ///< blocks without a point of their own, filled by a straight line

    Timestamp endOf(std::size_t block) const;
};

/// The shortest block that a series read every `step` is cut into.
Duration leastBlock(Duration step);

/// How long after one point the next one usually comes; empty for fewer than two points.
std::optional<Duration> usualStep(const TimeSeries &series);

/// Cuts the part of `series` in `range` into at most `most` blocks of a round length that is not below the usual distance
/// of points. The last point is in the last block. No blocks where there are fewer than two points.
SeriesBlocks seriesBlocks(const TimeSeries &series, TimeRange range, std::size_t most);

} // namespace model
