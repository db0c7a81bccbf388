// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

namespace model {

/// The mean of the points in each of `parts` equal parts of `range`, at their mean moment; parts without points are left out, gaps
/// of at least a part stay gaps. For lines over so many points that the least and greatest of each pixel would cover everything. Not for figures: a mean hides
/// peaks, which downsampled() keeps. Pure.
TimeSeries meanSeries(const TimeSeries &series, TimeRange range, std::size_t parts);

/// Whether a line through all points of `range` would be a solid area on `columns` pixels: more than two a pixel.
bool isDense(const TimeSeries &series, TimeRange range, std::size_t columns);

} // namespace model
