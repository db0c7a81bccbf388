// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace model {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// With the true minus sign, which is as wide as a plus.
std::string withMinus(std::string number)
{
    if (number.starts_with('-'))
        number.replace(0, 1, "−");
    return number;
}

/// At most three significant digits before a unit follows, trailing zeros of the fraction cut: "1.5", "12", "118".
std::string threeDigits(double value)
{
    const double size = std::abs(value);
    const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    std::string text = fmt::format("{:.{}f}", value, decimals);
    if (decimals > 0) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.')
            text.pop_back();
    }
    return text == "-0" ? "0" : withMinus(std::move(text));
}

struct Scaled
{
    double value = 0;
    std::size_t step = 0;
};

/// Divides by `base` until fewer than four digits stand before the point, at most `steps` times.
Scaled scaled(double value, double base, std::size_t steps)
{
    Scaled result{value, 0};
    while (std::abs(result.value) >= base * 0.9995 && result.step < steps) {
        result.value /= base;
        ++result.step;
    }
    return result;
}

/// "7 min 33 s"; "7 min" where nothing is left.
std::string inTwoUnits(std::int64_t count, std::int64_t base, std::string_view large, std::string_view small)
{
    std::string text = fmt::format("{} {}", count / base, large);
    return count % base == 0 ? text : text + fmt::format(" {} {}", count % base, small);
}

struct CivilTime
{
    std::int64_t year = 1970;
    unsigned month = 1;
    unsigned day = 1;
    std::int64_t secondOfDay = 0;
};

/// Days since 1970 to the Gregorian calendar, by eras of 400 years.
CivilTime civilTime(std::int64_t secondsSince1970)
{
    constexpr std::int64_t kDay = 86400;
    constexpr std::int64_t kDaysOfEra = 146097;
    std::int64_t days = secondsSince1970 / kDay;
    std::int64_t second = secondsSince1970 % kDay;
    if (second < 0) {
        second += kDay;
        --days;
    }
    days += 719468; // to 0000-03-01
    const std::int64_t era = (days >= 0 ? days : days - kDaysOfEra + 1) / kDaysOfEra;
    const std::int64_t dayOfEra = days - era * kDaysOfEra;
    const std::int64_t yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
    const std::int64_t dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    const std::int64_t monthFromMarch = (5 * dayOfYear + 2) / 153;
    const auto day = static_cast<unsigned>(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1);
    const auto month = static_cast<unsigned>(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
    return {yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day, second};
}

CivilTime localTime(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset)
{
    const std::int64_t wallNs = startWallNs + when.ns;
    const std::int64_t seconds = wallNs / kNsPerSecond - (wallNs % kNsPerSecond < 0 ? 1 : 0);
    return civilTime(seconds + utcOffsetSeconds(utcOffset));
}

} // namespace

std::int64_t utcOffsetSeconds(std::string_view utcOffset)
{
    const auto digit = [utcOffset](std::size_t i) { return static_cast<std::int64_t>(utcOffset[i] - '0'); };
    if (utcOffset.size() != 6 || (utcOffset[0] != '+' && utcOffset[0] != '-') || utcOffset[3] != ':')
        return 0;
    for (const std::size_t i : {1u, 2u, 4u, 5u})
        if (utcOffset[i] < '0' || utcOffset[i] > '9')
            return 0;
    const std::int64_t seconds = (digit(1) * 10 + digit(2)) * 3600 + (digit(4) * 10 + digit(5)) * 60;
    return utcOffset[0] == '-' ? -seconds : seconds;
}

Unit unitOf(MetricUnit unit)
{
    switch (unit) {
    case MetricUnit::Bytes:
        return Unit::Bytes;
    case MetricUnit::BytesPerSecond:
        return Unit::BytesPerSecond;
    case MetricUnit::MilliPercent:
        return Unit::Percent;
    case MetricUnit::Count:
        return Unit::Count;
    case MetricUnit::PerSecond:
        return Unit::PerSecond;
    }
    return Unit::Count;
}

double metricValue(std::int64_t stored, MetricUnit unit)
{
    const auto value = static_cast<double>(stored);
    return unit == MetricUnit::MilliPercent ? value / 1000 : value;
}

std::string formatBytes(double bytes)
{
    static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    const Scaled size = scaled(bytes, 1024, kUnits.size() - 1);
    if (size.step == 0)
        return fmt::format("{} B", threeDigits(std::abs(bytes) < 10 ? bytes : std::round(bytes)));
    return fmt::format("{} {}", threeDigits(size.value), kUnits[size.step]);
}

std::string formatCount(std::int64_t count)
{
    std::string digits = fmt::format("{}", count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t i = digits.size(); i > first + 3;) {
        i -= 3;
        digits.insert(i, 1, ',');
    }
    return withMinus(std::move(digits));
}

std::string formatShortCount(double count)
{
    static constexpr std::array kUnits{"", " k", " M", " G", " T", " P", " E"};
    const Scaled size = scaled(count, 1000, kUnits.size() - 1);
    return threeDigits(size.value) + kUnits[size.step];
}

std::string formatShare(double share)
{
    const double percent = share * 100;
    const double size = std::abs(percent);
    if (size == 0)
        return "0 %";
    if (size < 0.01)
        return percent > 0 ? "<0.01 %" : ">−0.01 %";
    const int decimals = size >= 99.95 || size == std::round(size) ? 0 : size >= 0.995 ? 1 : 2;
    return withMinus(fmt::format("{:.{}f} %", percent, decimals));
}

std::string formatShareOf(std::int64_t part, std::int64_t whole)
{
    return whole == 0 ? "–" : formatShare(static_cast<double>(part) / static_cast<double>(whole));
}

std::string formatDuration(Duration duration)
{
    struct Step
    {
        double ns;
        std::string_view unit;
    };
    static constexpr std::array<Step, 4> kSteps{{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}}};
    const auto ns = static_cast<double>(duration.ns);
    const std::string sign = duration.ns < 0 ? "−" : "";
    constexpr double kMinute = 59.95e9; // that is 60.0 s
    if (std::abs(ns) >= kMinute) {
        // Hours up to two days: "36 h" is read faster than "1 d 12 h".
        const std::int64_t seconds = std::llround(std::abs(ns) / 1e9), minutes = std::llround(std::abs(ns) / 60e9);
        if (seconds < 3600)
            return sign + inTwoUnits(seconds, 60, "min", "s");
        return sign
            + (minutes < 48 * 60 ? inTwoUnits(minutes, 60, "h", "min")
                                 : inTwoUnits(std::llround(std::abs(ns) / 3600e9), 24, "d", "h"));
    }
    const auto found = std::find_if(
        kSteps.begin(), kSteps.end(), [size = std::abs(ns)](const Step &step) { return size >= step.ns * 0.9995; });
    if (found == kSteps.end())
        return "0 s";
    return fmt::format("{} {}", threeDigits(ns / found->ns), found->unit);
}

std::string formatOffset(Timestamp when, bool withFraction)
{
    const std::int64_t ms = std::abs(when.ns) / 1'000'000;
    const std::int64_t seconds = ms / 1000;
    std::string text = when.ns < 0 ? "−" : "";
    if (seconds >= 3600)
        text += fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        text += fmt::format("{}:{:02}", seconds / 60, seconds % 60);
    if (withFraction)
        text += fmt::format(".{:03}", ms % 1000);
    return text;
}

std::string formatClock(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset)
{
    const std::int64_t second = localTime(when, startWallNs, utcOffset).secondOfDay;
    return fmt::format("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
}

std::string formatDay(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset)
{
    static constexpr std::array<std::string_view, 12> kMonths{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const CivilTime time = localTime(when, startWallNs, utcOffset);
    return fmt::format("{} {}", kMonths.at(static_cast<std::size_t>(time.month) - 1), time.day);
}

std::string formatMoment(Timestamp when, Duration whole, std::int64_t startWallNs, std::string_view utcOffset)
{
    const std::string clock = formatClock(when, startWallNs, utcOffset);
    constexpr std::int64_t kDayNs = 86'400'000'000'000;
    return whole.ns < kDayNs ? clock : formatDay(when, startWallNs, utcOffset) + ' ' + clock;
}

std::string formatDateTime(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset)
{
    const CivilTime time = localTime(when, startWallNs, utcOffset);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", time.year, time.month, time.day,
        time.secondOfDay / 3600, time.secondOfDay / 60 % 60, time.secondOfDay % 60,
        utcOffset.empty() ? "Z" : utcOffset);
}

std::string formatValue(double value, Unit unit)
{
    switch (unit) {
    case Unit::Bytes:
        return formatBytes(value);
    case Unit::BytesPerSecond:
        return formatBytes(value) + "/s";
    case Unit::BytesPerHour:
        return formatBytes(value) + "/h";
    case Unit::Percent:
        return formatShare(value / 100);
    case Unit::Count:
        return formatCount(std::llround(value));
    case Unit::PerSecond:
        return formatShortCount(value) + "/s";
    case Unit::Nanoseconds:
        return formatDuration({std::llround(value)});
    }
    return {};
}

std::string_view unitSuffix(Unit unit)
{
    switch (unit) {
    case Unit::Bytes:
        return "bytes";
    case Unit::BytesPerSecond:
        return "bytes/s";
    case Unit::BytesPerHour:
        return "bytes/h";
    case Unit::Percent:
        return "%";
    case Unit::Count:
        return "";
    case Unit::PerSecond:
        return "/s";
    case Unit::Nanoseconds:
        return "ns";
    }
    return {};
}

} // namespace model
