// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/layout/axis_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace model {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;
constexpr int kMostTicks = 5;

bool isBytes(Unit unit) { return unit == Unit::Bytes || unit == Unit::BytesPerSecond || unit == Unit::BytesPerHour; }

/// The least round step that is not below `step`.
double roundStep(double step, Unit unit)
{
    if (isBytes(unit))
        return std::exp2(std::ceil(std::log2(std::max(step, 1.0)) - 1e-9));
    const double least = unit == Unit::Count || unit == Unit::Nanoseconds ? 1.0 : 0.0;
    const double power = std::pow(10.0, std::floor(std::log10(step) + 1e-9));
    for (const double factor : {1.0, 2.0, 5.0, 10.0})
        if (factor * power >= step * (1 - 1e-9))
            return std::max(factor * power, least);
    return std::max(10 * power, least);
}

/// Steps of the time axis in seconds, ascending.
constexpr std::array<double, 27> kTimeSteps{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
    60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};

std::int64_t timeStepNs(Duration length, std::size_t most)
{
    const double wanted = length.seconds() / static_cast<double>(most);
    const auto found = std::lower_bound(kTimeSteps.begin(), kTimeSteps.end(), wanted);
    const double step = found != kTimeSteps.end() ? *found : std::ceil(wanted / 86400) * 86400;
    return std::llround(step * 1e9);
}

/// The step before this one; 0 for the first.
std::int64_t finerStepNs(std::int64_t stepNs)
{
    std::int64_t finer = 0;
    for (const double step : kTimeSteps)
        if (const std::int64_t ns = std::llround(step * 1e9); ns < stepNs)
            finer = ns;
    return finer;
}

std::int64_t floorTo(std::int64_t value, std::int64_t step) { return value - ((value % step) + step) % step; }

/// Which times are round: those of a clock, or of the offset from the begin.
struct Clock
{
    bool isClock = false;
    std::int64_t startWallNs = 0;
    std::string_view utcOffset;
};

std::vector<TimeTick> ticksEvery(std::int64_t stepNs, TimeRange range, const Clock &clock)
{
    std::vector<TimeTick> ticks;
    const auto &[isClock, startWallNs, utcOffset] = clock;
    // Where round times lie relative to the recording's begin.
    const std::int64_t shiftNs = isClock ? startWallNs + utcOffsetSeconds(utcOffset) * kNsPerSecond : 0;
    for (std::int64_t at = floorTo(range.begin.ns + shiftNs + stepNs - 1, stepNs); at <= range.end.ns + shiftNs;
         at += stepNs) {
        const Timestamp when{at - shiftNs};
        std::string label
            = isClock ? formatClock(when, startWallNs, utcOffset) : formatOffset(when, stepNs < kNsPerSecond);
        // Midnight says which day begins where a day or more is shown: "00:00" alone could be any.
        if (isClock && stepNs >= 3600 * kNsPerSecond && at % kNsPerDay == 0)
            label = formatDay(when, startWallNs, utcOffset);
        else if (isClock && stepNs % (60 * kNsPerSecond) == 0)
            label.resize(5);
        else if (isClock && stepNs < kNsPerSecond)
            label = formatClock(when, startWallNs, utcOffset)
                + formatOffset({floorTo(at, 1'000'000) % kNsPerSecond}, true).substr(4);
        ticks.push_back({when, std::move(label)});
    }
    return ticks;
}

} // namespace

Axis valueAxis(double least, double greatest, Unit unit, bool withZero)
{
    if (withZero && least > 0)
        least = 0;
    if (withZero && greatest < 0)
        greatest = 0;
    if (!(greatest > least))
        greatest = least + (isBytes(unit) ? 1024 : unit == Unit::Count ? 4 : 1);
    double step = roundStep((greatest - least) / (kMostTicks - 1), unit);
    Axis axis;
    for (;; step = roundStep(step * 1.5, unit)) {
        axis.least = std::floor(least / step + 1e-9) * step;
        axis.greatest = std::ceil(greatest / step - 1e-9) * step;
        if (std::llround((axis.greatest - axis.least) / step) < kMostTicks)
            break;
    }
    const auto steps = std::llround((axis.greatest - axis.least) / step);
    for (long long i = 0; i <= steps; ++i) {
        const double value = axis.least + step * static_cast<double>(i);
        axis.ticks.push_back({value, std::abs(value) < step * 1e-6 ? "0" : formatValue(value, unit)});
    }
    return axis;
}

std::vector<TimeTick> timeTicks(
    TimeRange range, TimeLabels labels, std::int64_t startWallNs, std::string_view utcOffset, std::size_t most)
{
    if (range.isEmpty() || most == 0)
        return {};
    const Clock clock{labels == TimeLabels::Clock, startWallNs, utcOffset};
    const std::int64_t stepNs = timeStepNs(range.length(), most);
    std::vector<TimeTick> ticks = ticksEvery(stepNs, range, clock);
    if (ticks.size() > most)
        ticks.pop_back();
    // One mark alone does not tell how fast time goes: every second or third one of a finer step.
    if (const std::int64_t finerNs = finerStepNs(stepNs); ticks.size() < 2 && most >= 2 && finerNs > 0) {
        const std::vector<TimeTick> finer = ticksEvery(finerNs, range, clock);
        const std::size_t every = (finer.size() + most - 1) / most;
        ticks.clear();
        for (std::size_t i = 0; i < finer.size(); i += std::max<std::size_t>(every, 1))
            ticks.push_back(finer[i]);
    }
    return ticks;
}

} // namespace model
