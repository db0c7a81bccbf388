// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap_mode.h"

#include "model/base/format_units.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace model {

namespace {

constexpr std::int64_t kShortestPeriod = 64;
constexpr std::int64_t kLongestPeriod = std::int64_t{1} << 40;
constexpr std::int64_t kLeastBudget = 100;    ///< thousandths of a percent
constexpr std::int64_t kMostBudget = 400'000; ///< four cores

/// "512KiB", "1M", "65536": bytes in binary units; nothing where it is no such number.
std::optional<std::int64_t> parseBytes(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (code != std::errc() || value <= 0)
        return std::nullopt;
    int shift = 0;
    if (unit == "K" || unit == "KiB")
        shift = 10;
    else if (unit == "M" || unit == "MiB")
        shift = 20;
    else if (unit == "G" || unit == "GiB")
        shift = 30;
    else if (!unit.empty() && unit != "B")
        return std::nullopt;
    return value < kLongestPeriod >> shift ? std::optional(value << shift) : std::nullopt;
}

/// "5%", "0.5%", "5": percent, as thousandths.
std::optional<std::int64_t> parsePercent(std::string_view text)
{
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (code != std::errc() || (!rest.empty() && rest != "%") || !(value >= 0 && value < 1e6))
        return std::nullopt;
    return std::llround(value * 1000);
}

} // namespace

Result<HeapWish> parseHeapWish(std::string_view text)
{
    const std::size_t sign = text.find('=');
    const std::string_view name = text.substr(0, sign);
    const bool hasFigure = sign != std::string_view::npos;
    const std::string_view figure = hasFigure ? text.substr(sign + 1) : std::string_view();
    HeapWish wish;
    if (name == "full" && !hasFigure)
        return wish;
    if (name == "off" && !hasFigure) {
        wish.mode = HeapMode::Off;
        return wish;
    }
    if (name == "sampled") {
        wish.mode = HeapMode::Sampled;
        const auto period = hasFigure ? parseBytes(figure) : std::optional(wish.periodBytes);
        if (!period || *period < kShortestPeriod)
            return Error(fmt::format("{}: bytes from 64 to 1 TiB are possible, such as sampled=512KiB", text));
        wish.periodBytes = *period;
        return wish;
    }
    if (name == "auto") {
        wish.mode = HeapMode::Auto;
        const auto budget = hasFigure ? parsePercent(figure) : std::optional(wish.budgetMilliPercent);
        if (!budget || *budget < kLeastBudget || *budget > kMostBudget)
            return Error(fmt::format("{}: percent of one core from 0.1 to 400 are possible, such as auto=5%", text));
        wish.budgetMilliPercent = *budget;
        return wish;
    }
    return Error(fmt::format("{}: full, sampled, sampled=BYTES, auto, auto=PERCENT and off are possible", text));
}

std::string heapModeWords(std::int64_t periodBytes)
{
    if (periodBytes <= 1)
        return "every allocation";
    return fmt::format("samples, one of {}", formatBytes(static_cast<double>(periodBytes)));
}

} // namespace model
