// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/forecast_words.h"

#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <cmath>

namespace model {

namespace {

bool isBytes(Unit unit) { return unit == Unit::Bytes; }

IntervalParts rateInterval(const Interval &perHour, Unit unit, Sign sign = Sign::WhereNegative)
{
    if (isBytes(unit))
        return intervalParts(perHour.low, perHour.high, Unit::BytesPerHour, sign);
    IntervalParts parts = intervalParts(perHour.low, perHour.high, Unit::Count, sign);
    parts.unit += " /h";
    return parts;
}

std::string probabilityText(double probability)
{
    if (probability > 0.99)
        return "above 99 %";
    if (probability < 0.01)
        return "below 1 %";
    return fmt::format("{:.0f} %", probability * 100);
}

std::string intervalText(const TimeToLimit &time, Duration horizon)
{
    const std::string low = time.q05 ? formatDuration(*time.q05) : "later than " + formatDuration(horizon);
    if (!time.q95)
        return fmt::format("90 %: {} to beyond {}", low, formatDuration(horizon));
    return "90 %: " + (time.q05 ? formatInterval(*time.q05, *time.q95) : low + " to " + formatDuration(*time.q95));
}

/// Whether the quantity is called by a plural: "Threads grow".
bool isPlural(const Forecast &forecast)
{
    return forecast.label.starts_with(seriesInfo(forecast.source).label)
        && seriesInfo(forecast.source).label.ends_with('s');
}

/// Of what has no trend, and is not where it was: "fell from 44.9 MiB to 15.4 MiB".
std::string movedText(const Forecast &forecast, Unit unit)
{
    constexpr double kAsBefore = 0.1; ///< of the range: it came back
    const SeenValues &seen = forecast.seen;
    const double range = seen.greatest - seen.least;
    const std::string least = formatValue(seen.least, unit), greatest = formatValue(seen.greatest, unit);
    const std::string newest = formatValue(seen.newest, unit);
    if (std::abs(seen.newest - seen.first) <= kAsBefore * range)
        return fmt::format("went from {} to {} and {} at {} again", formatValue(seen.first, unit),
            seen.newest - seen.least > seen.greatest - seen.newest ? least : greatest,
            isPlural(forecast) ? "are" : "is", newest);
    if (seen.newest - seen.least > seen.greatest - seen.newest)
        return fmt::format("rose from {} to {}", least, newest);
    return fmt::format("fell from {} to {}", greatest, newest);
}

std::string trendSentence(const Forecast &forecast)
{
    const Unit unit = seriesInfo(forecast.source).unit;
    const std::string seen = formatDuration({forecast.block.ns * static_cast<std::int64_t>(forecast.blocks)});
    const std::string_view end = isPlural(forecast) ? "" : "s";
    const Interval &slope = forecast.trend.slope90;
    if (forecast.isGrowing || forecast.isShrinking)
        return fmt::format("{} {}{} by {}", forecast.label, forecast.isGrowing ? "grow" : "shrink", end,
            rateText(
                std::abs(forecast.trend.slope), forecast.isGrowing ? slope : Interval{-slope.high, -slope.low}, unit));
    if (forecast.seen.standsStill(forecast.blocks))
        return fmt::format("{} {} and {} stood still for {}", forecast.label, movedText(forecast, unit),
            isPlural(forecast) ? "have" : "has",
            formatDuration({forecast.block.ns * static_cast<std::int64_t>(forecast.seen.settled)}));
    if (forecast.seen.hasMoved)
        return fmt::format("{} {}, with no trend in {}", forecast.label, movedText(forecast, unit), seen);
    if (slope.low == 0 && slope.high == 0)
        return fmt::format("{} stay{} at {} ({} seen)", forecast.label, end, formatValue(forecast.level, unit), seen);
    const IntervalParts rates = rateInterval(slope, unit, Sign::Always);
    return fmt::format("{} show{} no trend in {} ({}{})", forecast.label, end, seen, rates.numbers, rates.unit);
}

} // namespace

std::string rateText(double perHour, Unit unit)
{
    return isBytes(unit) ? formatBytes(perHour) + "/h" : formatShortCount(perHour) + " /h";
}

std::string rateText(double perHour, const Interval &interval, Unit unit)
{
    const IntervalParts bounds = rateInterval(interval, unit);
    const std::string value = rateText(perHour, unit);
    const std::string inTheirs = fmt::format("{:.2f}", std::abs(perHour) / bounds.factor);
    const bool isOfOneUnit = value.ends_with(bounds.unit) || inTheirs == "0.00";
    return withInterval(isOfOneUnit ? value : (perHour < 0 ? "−" : "") + inTheirs + bounds.unit, bounds);
}

std::string forecastVerdict(const Forecast &forecast)
{
    if (forecast.state == ForecastState::NotEnoughData)
        return fmt::format("{}: not enough data for a forecast: {}.", forecast.label, forecast.reason);
    if (forecast.state == ForecastState::DirectionOnly)
        return fmt::format(
            "{}; when a limit is reached cannot be said yet: {}.", trendSentence(forecast), forecast.reason);
    if (!forecast.timeToLimit)
        return fmt::format("{}; no limit is known.", trendSentence(forecast));
    const Unit unit = seriesInfo(forecast.source).unit;
    const TimeToLimit &time = *forecast.timeToLimit;
    const std::string limit
        = fmt::format("the {} ({})", forecast.limit->name, formatValue(forecast.limit->value, unit));
    if (time.median && time.median->ns == 0)
        return fmt::format("{} {} above {} already.", forecast.label, isPlural(forecast) ? "are" : "is", limit);
    if (time.median)
        return fmt::format("{}; {} is reached in {} ({}).", trendSentence(forecast), limit,
            formatDuration(*time.median), intervalText(time, forecast.horizon));
    return fmt::format("{}; the probability that {} is reached within {} is {}.", trendSentence(forecast), limit,
        formatDuration(forecast.horizon), probabilityText(time.reachedWithinHorizon));
}

std::string capacityText(const OtherLimit &limit, Duration horizon, Unit unit)
{
    const std::string what = fmt::format("A limit of {}", formatValue(limit.value, unit));
    const TimeToLimit &time = limit.time;
    if (time.median)
        return fmt::format("{} would last {} ({}).", what, formatDuration(*time.median), intervalText(time, horizon));
    return fmt::format("{} would last longer than {}; the probability that it is reached by then is {}.", what,
        formatDuration(horizon), probabilityText(time.reachedWithinHorizon));
}

std::string forecastMethod(const Forecast &forecast, std::size_t filledBlocks)
{
    if (forecast.blocks == 0)
        return {};
    std::string text = fmt::format("Means of {} blocks of {}", forecast.blocks, formatDuration(forecast.block));
    if (filledBlocks > 0)
        text += fmt::format(" ({} without data, filled by a straight line)", filledBlocks);
    text += "; trend: Theil–Sen with an interval widened for correlation";
    if (forecast.state != ForecastState::Forecast)
        return text + '.';
    text += ". Forecast: local level with constant drift (Kalman filter, profile likelihood), simulated";
    if (forecast.slopeChange)
        text += fmt::format("; fitted on what follows a change of slope at {}", formatOffset(*forecast.slopeChange));
    if (forecast.season)
        text += fmt::format("; a cycle of {} is taken out and added back", formatDuration(*forecast.season));
    text += fmt::format("; errors widened {:.1f}-fold after forecasts of the past", forecast.inflation);
    return text + ". Assumes that the program goes on doing what it did in this time.";
}

} // namespace model
