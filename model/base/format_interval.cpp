// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace model {

namespace {

struct Scale
{
    double factor = 1;
    std::string unit; ///< with the space before it
    int decimals = 0;
    int mostDecimals = 0;
};

std::string_view perUnit(Unit unit)
{
    return unit == Unit::BytesPerSecond || unit == Unit::PerSecond ? "/s" : unit == Unit::BytesPerHour ? "/h" : "";
}

/// In which unit numbers from `least` to `greatest` are written, and how finely: where they are of one size, as finely as any of them would be
/// by itself. Else an estimate that stands beside them, "68.7", would lie outside of "69–144".
Scale scaleFor(double least, double greatest, Unit unit)
{
    static constexpr std::array kByteUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    static constexpr std::array kCountUnits{"", " k", " M", " G", " T", " P", " E"};
    if (unit == Unit::Percent)
        return {1, " %", greatest >= 0.995 ? 1 : 2, 2};
    const bool isBytes = unit == Unit::Bytes || unit == Unit::BytesPerSecond || unit == Unit::BytesPerHour;
    const double base = isBytes ? 1024 : 1000;
    std::size_t step = 0;
    double factor = 1;
    for (; greatest / factor >= base * 0.9995 && step + 1 < kByteUnits.size(); ++step)
        factor *= base;
    constexpr double kOneSize = 10;
    const double size = (least > 0 && least * kOneSize >= greatest ? least : greatest) / factor;
    const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    const bool isWhole = step == 0 && unit == Unit::Bytes;
    return {factor,
        (isBytes ? ' ' + std::string(kByteUnits.at(step)) : kCountUnits.at(step)) + std::string(perUnit(unit)),
        isWhole ? 0 : decimals, isWhole ? 0 : decimals + 2};
}

std::string number(double value, int decimals, Sign sign)
{
    std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
    if (std::all_of(text.begin(), text.end(), [](char c) { return c == '0' || c == '.'; }))
        return "0";
    return (value < 0 ? "−" : sign == Sign::Always ? "+" : "") + text;
}

/// Whether a decimal less says the same of a number.
bool endsInZero(double value, int decimals)
{
    const std::string text = fmt::format("{:.{}f}", value, decimals);
    return text.back() == '0';
}

} // namespace

IntervalParts intervalParts(double low, double high, Unit unit, Sign sign)
{
    const double least = (low < 0) == (high < 0) ? std::min(std::abs(low), std::abs(high)) : 0;
    const Scale scale = scaleFor(least, std::max(std::abs(low), std::abs(high)), unit);
    low /= scale.factor;
    high /= scale.factor;
    int decimals = scale.decimals;
    while (decimals < scale.mostDecimals && low < high && number(low, decimals, sign) == number(high, decimals, sign))
        ++decimals;
    if (number(low, decimals, sign) == number(high, decimals, sign))
        decimals = scale.decimals; // the same however closely one looks
    while (decimals > 0 && endsInZero(low, decimals) && endsInZero(high, decimals))
        --decimals;
    const std::string first = number(low, decimals, sign), second = number(high, decimals, sign);
    const bool hasSign = low < 0 || sign == Sign::Always;
    return {first == second ? first : first + (hasSign ? " to " : "–") + second, scale.unit, scale.factor};
}

std::string formatInterval(double low, double high, Unit unit, Sign sign)
{
    if (unit == Unit::Nanoseconds)
        return formatInterval(Duration{std::llround(low)}, Duration{std::llround(high)});
    const IntervalParts parts = intervalParts(low, high, unit, sign);
    return parts.numbers + parts.unit;
}

std::string formatInterval(Duration low, Duration high)
{
    const std::string first = formatDuration(low), second = formatDuration(high);
    if (first == second)
        return first;
    const auto unitAt = [](const std::string &text) { return text.find(' '); };
    const bool isSimple = unitAt(first) == first.rfind(' ') && unitAt(second) == second.rfind(' ');
    if (isSimple && first.substr(unitAt(first)) == second.substr(unitAt(second)))
        return first.substr(0, unitAt(first)) + "–" + second;
    return first + " – " + second;
}

std::string withInterval(const std::string &value, const IntervalParts &interval)
{
    const std::string whole = interval.numbers + interval.unit;
    if (whole == value)
        return value;
    return value + " (" + (value.ends_with(interval.unit) ? interval.numbers : whole) + ')';
}

} // namespace model
