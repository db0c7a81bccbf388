// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/analysis/robust_trend.h"

#include <array>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

inline constexpr std::size_t kLeastForecastDirection = 12; ///< blocks that show a direction
inline constexpr std::size_t kLeastForecastBlocks = 48;    ///< … that give an interval of the time to the limit

/// What a quantity may not exceed.
struct ForecastLimit
{
    double value = 0; ///< in the series' unit
    std::string name; ///< "limit of the control group"
};

struct ForecastOptions
{
    std::optional<ForecastLimit> limit; ///< none: only the trend is told
    std::vector<double> otherLimits;    ///< how long these would last is told beside it
    std::string label;                  ///< how the quantity is called; empty: as its source is
    std::optional<TimeRange> history;   ///< fit on this part only; the whole series otherwise
    std::optional<Duration> season; ///< length of a known cycle; 24 h is tried by itself when there is enough history
    Duration longestHorizon{48ll * 3600 * 1'000'000'000}; ///< how far ahead to look at most
    double horizonPerHistory = 4;                         ///< … and how many times as far as was seen behind
    std::uint32_t paths = 2000;                           ///< simulated futures
    std::uint64_t seed = 1;                               ///< the same seed gives the same result
};

/// How much can be said.
enum class ForecastState : std::uint8_t {
    NotEnoughData, ///< nothing; `reason` says what is missing
    DirectionOnly, ///< the trend has a sign, an interval of the time would be a guess; `reason` says why
    Forecast,      ///< all of it
};

/// Quantiles of the quantity at one moment of the future.
struct ForecastBand
{
    Timestamp when;
    double q05 = 0;
    double q25 = 0;
    double q50 = 0;
    double q75 = 0;
    double q95 = 0;
};

/// Time from the end of the history to the first crossing of the limit. An end that lies beyond the horizon is empty.
struct TimeToLimit
{
    std::optional<Duration> q05;
    std::optional<Duration> q25;
    std::optional<Duration> median;
    std::optional<Duration> q75;
    std::optional<Duration> q95;
    double reachedWithinHorizon = 0; ///< probability
};

/// How long another limit would last.
struct OtherLimit
{
    double value = 0; ///< in the series' unit
    TimeToLimit time;
};

/// Between which values a quantity went, by blocks.
struct SeenValues
{
    double first = 0;
    double least = 0;
    double greatest = 0;
    double newest = 0;       ///< median of the last three
    std::size_t settled = 0; ///< so many blocks at the end are about there
    /// It left the level of its trend, later than in the first tenth, by so much that a level alone would be a false account.
    bool hasMoved = false;
    /// Whether, of so many `blocks`, it has been at its newest level for long: a third of the time.
    bool standsStill(std::size_t blocks) const { return hasMoved && settled * 3 >= blocks; }
};

/// What will happen next, and how sure that is.
struct Forecast
{
    ForecastState state = ForecastState::NotEnoughData;
    std::string verdict; ///< one sentence for a card: what, when, how sure
    std::string reason;  ///< why not more is said; empty with ForecastState::Forecast
    std::string method;  ///< how it was computed and what it assumes, in words
    SeriesSource source;
    std::string label; ///< how the quantity is called: "Resident memory"
    std::optional<ForecastLimit> limit;
    Timestamp now;            ///< end of the history
    double level = 0;         ///< of the quantity now
    SeenValues seen;          ///< … and before
    RobustTrend trend;        ///< times in hours; slope per hour
    bool isGrowing = false;   ///< the trend's 90 % interval is above 0
    bool isShrinking = false; ///< … below 0
    Duration block;           ///< length of the blocks the series was cut into
    std::size_t blocks = 0;
    std::optional<Timestamp> slopeChange; ///< the trend changed here; what was before counts little
    std::optional<Duration> season;       ///< a cycle of this length was found and taken into account
    double inflation = 1;                 ///< errors of forecasts of the past, relative to what the model expected
    Duration horizon;                     ///< how far `band` reaches
    std::vector<ForecastBand> band;
    std::optional<TimeToLimit> timeToLimit; ///< with a limit and ForecastState::Forecast only
    std::vector<OtherLimit> otherLimits;    ///< with ForecastState::Forecast only; as in the options
    /// P(limit reached within 1, 8, 24, 48 h); empty beyond the horizon.
    std::array<std::optional<double>, 4> reachedWithin;
};
inline constexpr std::array<int, 4> kForecastHours{1, 8, 24, 48};

/// Forecasts a series: blocks of means, local level with drift, simulated first passage (model/analysis/README.md has the formulae).
/// Blocks are as short as the points allow, at most 600 of them: 48 or more make a forecast that reaches four times as far ahead as was seen
/// behind, 10 minutes of history included; fewer give a direction at best. Deterministic for a seed. Returns nothing when
/// `stop` was requested.
std::optional<Forecast> forecast(const TimeSeries &series, const ForecastOptions &options, std::stop_token stop = {});

} // namespace model
