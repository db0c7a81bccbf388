// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/analysis/robust_trend.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// The shape of a quantity over time.
enum class GrowthPattern : std::uint8_t {
    NotEnough, ///< fewer than 24 blocks with data
    Flat,
    WarmUp,       ///< rises ever more slowly to a level
    Linear,       ///< rises or falls evenly
    Accelerating, ///< rises ever faster
    Step,         ///< jumps between levels
    Sawtooth,     ///< rises and falls back, again and again
    Periodic,     ///< a cycle
};
/// "not_enough_data", "flat", "warm_up", "linear", "accelerating", "step", "sawtooth", "periodic".
std::string_view growthPatternKey(GrowthPattern pattern);
/// "Warm-up" and so on, for people.
std::string_view growthPatternLabel(GrowthPattern pattern);

/// What a series does.
struct GrowthShape
{
    GrowthPattern pattern = GrowthPattern::NotEnough;
    std::vector<Timestamp> changes;       ///< of steps and teeth: the begin of the block after the change
    std::optional<Duration> period;       ///< of a cycle or of the teeth
    std::optional<Duration> timeConstant; ///< of a warm-up
    double perHour = 0;                   ///< robust trend, in the series' unit
    Interval perHour90;
    double level = 0; ///< mean of the last sixth
    /// Last sixth − first sixth; of a warm-up last sixth − first block, of what accelerates last − first block; of steps what comes after the last
    /// − what was before the first, where that is less than a sixth.
    double change = 0;
    double explained = 0; ///< share of the variance that the pattern explains
    std::size_t blocks = 0;
    Duration block;
    std::string sentence; ///< "Resident memory: rises evenly by 4.1 MiB/h (3.7–4.6)."
};

/// Chooses the pattern that explains most for the fewest parameters (see README.md). Changes of less than half a percent of the level are
/// flat. Not for a forecast: it says what was. Pure.
GrowthShape growthShape(const TimeSeries &series);

} // namespace model
