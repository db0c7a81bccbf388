// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/amount_text.h"

#include "app/duration_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace app {

namespace {

struct Factor
{
    std::string_view name;
    double factor;
};

constexpr std::array<Factor, 13> kByteFactors{{
    {"", 1},
    {"B", 1},
    {"K", 1024},
    {"KiB", 1024},
    {"M", 1048576},
    {"MiB", 1048576},
    {"G", 1073741824},
    {"GiB", 1073741824},
    {"T", 1099511627776},
    {"TiB", 1099511627776},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
}};
constexpr std::array<Factor, 4> kCountFactors{{{"", 1}, {"k", 1e3}, {"M", 1e6}, {"/s", 1}}};
constexpr std::array<Factor, 2> kPercentFactors{{{"", 1}, {"%", 1}}};

template <std::size_t Count>
std::optional<double> scaled(double number, std::string_view unit, const std::array<Factor, Count> &factors)
{
    for (const Factor &factor : factors)
        if (factor.name == unit)
            return number * factor.factor;
    return std::nullopt;
}

} // namespace

std::optional<double> parseAmount(std::string_view text, model::Unit unit)
{
    if (unit == model::Unit::Nanoseconds) {
        const auto duration = parseDuration(text, 1'000'000'000);
        return duration ? std::optional(static_cast<double>(duration->ns)) : std::nullopt;
    }
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (code != std::errc() || !std::isfinite(number))
        return std::nullopt;
    std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    while (rest.starts_with(' '))
        rest.remove_prefix(1);
    switch (unit) {
    case model::Unit::BytesPerSecond:
    case model::Unit::BytesPerHour: {
        const std::string_view per = unit == model::Unit::BytesPerHour ? "/h" : "/s";
        if (rest.ends_with(per))
            rest.remove_suffix(per.size());
        return scaled(number, rest, kByteFactors);
    }
    case model::Unit::Bytes:
        return scaled(number, rest, kByteFactors);
    case model::Unit::Percent:
        return scaled(number, rest, kPercentFactors);
    case model::Unit::Count:
    case model::Unit::PerSecond:
    case model::Unit::Nanoseconds:
        break;
    }
    return scaled(number, rest, kCountFactors);
}

std::string amountExample(model::Unit unit)
{
    switch (unit) {
    case model::Unit::Bytes:
        return "a number of bytes, such as \"512MiB\"";
    case model::Unit::BytesPerSecond:
        return "bytes per second, such as \"20MiB/s\"";
    case model::Unit::BytesPerHour:
        return "bytes per hour, such as \"20MiB/h\"";
    case model::Unit::Percent:
        return "a percentage, such as \"80%\"";
    case model::Unit::Nanoseconds:
        return "a length of time, such as \"10s\", \"5m\" or \"8h\"";
    case model::Unit::PerSecond:
        return "a number per second, such as 1000";
    case model::Unit::Count:
        break;
    }
    return "a number, such as 1000";
}

} // namespace app
