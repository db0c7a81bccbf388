// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/local_level.h"
#include "model/analysis/season.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace model {

/// A fitted model, how much wider than its own variance its errors are, and how sure that variance is.
struct FutureModel
{
    LocalLevelFit fit;
    double inflation = 1;
    double weight = 1;  ///< share of the simulated futures that follow it
    double degrees = 5; ///< of freedom of the variance
};

/// Quantiles of the quantity at a moment, in blocks after the last one.
struct FutureQuantiles
{
    double blocks = 0;
    std::array<double, 5> values{}; ///< 5, 25, 50, 75, 95 %
};

/// Simulated futures.
struct Futures
{
    std::vector<double>
        passages; ///< blocks until `limit` is crossed, ascending, one a path; infinity: not within the horizon
    std::vector<std::vector<double>> otherPassages; ///< the same of FutureOptions::otherLimits, in their order
    std::vector<FutureQuantiles> band;
};

/// What to simulate.
struct FutureOptions
{
    std::optional<Season> season;
    double lastBlock = 0; ///< index of the last block, for the season
    double horizonBlocks = 0;
    std::optional<double> limit;     ///< none: nothing passes
    std::vector<double> otherLimits; ///< whose passages are told too
    std::uint32_t paths = 2000;
    std::uint64_t seed = 1;
};

/// Simulates futures on a grid that is fine at the beginning. Nothing when `stop` was requested.
std::optional<Futures> simulateFutures(
    std::span<const FutureModel> models, const FutureOptions &options, const std::stop_token &stop);

/// The quantile of sorted values, infinity included; `share` 0 to 1.
double sortedQuantile(std::span<const double> sorted, double share);

} // namespace model
