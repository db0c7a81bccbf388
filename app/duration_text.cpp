// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/duration_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kMinuteNs = 60 * kSecondNs;
constexpr std::int64_t kHourNs = 60 * kMinuteNs;
constexpr std::int64_t kDayNs = 24 * kHourNs;
constexpr double kLongestNs = 100.0 * 365.0 * static_cast<double>(kDayNs);

struct Unit
{
    std::string_view name;
    std::int64_t ns;
};

constexpr std::array<Unit, 9> kUnits{{
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", kSecondNs},
    {"sec", kSecondNs},
    {"m", kMinuteNs},
    {"min", kMinuteNs},
    {"h", kHourNs},
    {"d", kDayNs},
}};

std::optional<std::int64_t> unitNs(std::string_view name)
{
    for (const Unit &unit : kUnits) {
        if (unit.name == name)
            return unit.ns;
    }
    return std::nullopt;
}

} // namespace

model::Result<model::Duration> parseDuration(std::string_view text, std::int64_t bareUnitNs)
{
    const model::Error error(
        fmt::format("\"{}\" is not a length of time: write it as 250ms, 90s, 10m, 1h30m or 48h", text));
    double sumNs = 0;
    std::string_view rest = text;
    if (rest.empty())
        return error;
    while (!rest.empty()) {
        double number = 0;
        const auto [end, code]
            = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
        if (code != std::errc() || !(number >= 0))
            return error;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        const std::string_view name = rest.substr(0, rest.find_first_of("0123456789."));
        rest.remove_prefix(name.size());
        const bool isBare = name.empty() && end == text.data() + text.size();
        const auto ns = isBare ? std::optional(bareUnitNs) : unitNs(name);
        if (!ns || (isBare && sumNs > 0))
            return error;
        sumNs += number * static_cast<double>(*ns);
    }
    if (sumNs > kLongestNs)
        return error;
    return model::Duration{static_cast<std::int64_t>(sumNs + 0.5)};
}

std::string durationText(model::Duration duration)
{
    const std::int64_t ns = duration.ns;
    if (ns < kSecondNs)
        return fmt::format("{} ms", ns / 1'000'000);
    if (ns < kMinuteNs)
        return fmt::format("{:.1f} s", static_cast<double>(ns / (kSecondNs / 10)) / 10);
    if (ns < kHourNs)
        return fmt::format("{} min {} s", ns / kMinuteNs, ns % kMinuteNs / kSecondNs);
    if (ns < kDayNs)
        return fmt::format("{} h {} min", ns / kHourNs, ns % kHourNs / kMinuteNs);
    return fmt::format("{} d {} h", ns / kDayNs, ns % kDayNs / kHourNs);
}

std::string clockText(model::Duration duration)
{
    const std::int64_t seconds = duration.ns / kSecondNs;
    const std::string clock = fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    return seconds < 86400 ? clock : fmt::format("{}d {}", seconds / 86400, clock);
}

} // namespace app
