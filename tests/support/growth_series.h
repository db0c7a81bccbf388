// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/analysis/random.h"

#include <array>
#include <string_view>
#include <vector>

namespace tests {

/// The six ways memory grows that forecasts are tested on; values in MiB, a point every 5 minutes.
enum class GrowthKind { LinearCorrelated, RandomWalk, Steps, SlopeChange, Warmup, Daily };
inline constexpr std::array kGrowthKinds{GrowthKind::LinearCorrelated, GrowthKind::RandomWalk, GrowthKind::Steps,
    GrowthKind::SlopeChange, GrowthKind::Warmup, GrowthKind::Daily};
std::string_view nameOf(GrowthKind kind);

/// A process with known future: `history` and then `future` points.
struct GrowthSeries
{
    std::vector<double> values;
    double drift = 0; ///< per point, at the end
};
GrowthSeries growthSeries(GrowthKind kind, std::size_t history, std::size_t future, model::Random &random);

/// Values as a line with a point every `step`, the first one at `step`.
model::TimeSeries lineOf(const std::vector<double> &values, std::size_t count, model::Duration step);

/// How forecasts of one kind came out.
struct ForecastScore
{
    double covered90 = 0; ///< share of the runs whose 90 % interval held the true time
    double covered50 = 0;
    double medianError = 0;   ///< median of |median − truth| ÷ truth
    double lineCovered90 = 0; ///< what least squares through all of it would have covered
    int runs = 0;
};

/// Forecasts `runs` series of a kind from `history` points and compares with what happened.
ForecastScore scoreForecasts(GrowthKind kind, std::size_t history, int runs, std::uint32_t paths, std::uint64_t seed);

} // namespace tests
