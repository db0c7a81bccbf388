// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/budget_text.h"

#include "app/duration_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace app {

namespace {

constexpr std::int64_t kLeastBytes = 1'000'000;
constexpr double kMostBytes = 1e15;
constexpr std::int64_t kHourNs = 3'600'000'000'000;

struct Unit
{
    std::string_view name;
    std::int64_t bytes;
};

constexpr std::array<Unit, 11> kUnits{{
    {"B", 1},
    {"KB", 1'000},
    {"kB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"K", 1 << 10},
    {"KiB", 1 << 10},
    {"M", 1 << 20},
    {"MiB", 1 << 20},
    {"G", 1 << 30},
    {"GiB", 1 << 30},
}};

std::optional<std::int64_t> parseSize(std::string_view text)
{
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (code != std::errc() || !(number >= 0))
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    for (const Unit &unit : kUnits)
        if (unit.name == text && number * static_cast<double>(unit.bytes) <= kMostBytes)
            return static_cast<std::int64_t>(number * static_cast<double>(unit.bytes));
    return std::nullopt;
}

} // namespace

model::Result<model::ByteBudget> parseBudget(std::string_view text)
{
    const auto slash = text.find('/');
    const auto bytes = parseSize(text.substr(0, slash));
    if (slash == std::string_view::npos || !bytes)
        return model::Error(
            fmt::format("\"{}\" is no budget: write bytes and a time, such as 200MB/48h or 1GiB/7d", text));
    if (*bytes < kLeastBytes)
        return model::Error(fmt::format("\"{}\": a session needs 1 MB at least", text));
    const auto period = parseDuration(text.substr(slash + 1), 0);
    if (!period)
        return period.error();
    if (period->ns < kHourNs)
        return model::Error(
            fmt::format("\"{}\": an hour is the shortest time; what is younger than that is not merged much", text));
    return model::ByteBudget{*bytes, *period};
}

} // namespace app
