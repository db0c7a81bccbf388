// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/stability_verdict.h"

namespace model {

// What the files of StabilityTest share; times in its hours.
inline constexpr double kBlockHours = 1.0 / 6;
inline constexpr std::size_t kLeastBlocks = 12;
inline constexpr double kWatchHours = 8;
inline constexpr double kWatchErrors = 5;
inline constexpr std::size_t kEndBlocks = 12; ///< of either end, for the plain rule
inline constexpr double kCyclesToSee = 1.5;
inline constexpr double kAllGone = -1; ///< growth that nothing is left after

/// The line through the blocks from the start on.
struct StabilityTest::Slope
{
    double slope = 0; ///< value an hour
    double level = 0; ///< at the start
    double error = 0;
    double sxx = 0;
    double nu = 2;
    std::size_t blocks = 0;
    double squares = 0; ///< of what the line leaves of the blocks
    double lag1 = 0;
};

/// A change of level beside which a line is fitted.
struct StabilityTest::Step
{
    double hours = 0;  ///< when
    double height = 0; ///< as a share of the level
    double growth = 0; ///< of the line beside it, to the horizon, as a share
    Interval growth95;
};

} // namespace model
