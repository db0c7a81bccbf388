// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/difference_words.h"

#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr double kMostSharpCount = 1e15;
/// From here on, three digits leave no fraction.
constexpr double kLeastWhole = 99.95;
/// From here on a ratio is easier to take in than a share in percent.
constexpr double kManyTimes = 10;

bool isManyTimes(const Difference &difference) { return difference.a > 0 && difference.b / difference.a >= kManyTimes; }

} // namespace

std::string costText(double cost, Unit unit)
{
    if (unit == Unit::Nanoseconds)
        return formatDuration({std::llround(cost)});
    if (unit == Unit::Count && cost == std::floor(cost) && std::abs(cost) < kMostSharpCount)
        return formatCount(static_cast<std::int64_t>(cost));
    if (unit == Unit::Count && std::abs(cost) >= kLeastWhole)
        return formatCount(static_cast<std::int64_t>(std::llround(cost)));
    if (unit == Unit::Count)
        return (cost < 0 ? "−" : "") + fmt::format("{:.3g}", std::abs(cost));
    return formatValue(cost, unit);
}

std::string changeText(const Difference &difference, Unit unit)
{
    const double change = difference.change();
    if (change == 0)
        return "0";
    return (change > 0 ? "+" : "") + costText(change, unit);
}

std::string signedShare(double share)
{
    if (share == 0)
        return "0 %";
    constexpr double kLeastShown = 0.0001;
    if (std::abs(share) < kLeastShown) {
        constexpr int kMostDecimals = 9;
        const double percent = share * 100;
        const int decimals = static_cast<int>(std::ceil(-std::log10(std::abs(percent)) - 1e-9));
        return fmt::format("{}{:.{}f} %", share < 0 ? "−" : "+", std::abs(percent), std::min(decimals, kMostDecimals));
    }
    return (share < 0 ? "−" : "+") + formatShare(std::abs(share));
}

std::string relativeText(const Difference &difference)
{
    if (difference.a == difference.b)
        return "0 %";
    if (difference.a == 0)
        return "new";
    if (isManyTimes(difference))
        return "× " + costText(difference.b / difference.a, Unit::Count);
    return difference.b == 0 ? "gone" : signedShare(difference.b / difference.a - 1);
}

std::string relativeIntervalText(const Difference &difference, Certainty certainty)
{
    const Interval &ratio = difference.ratio95;
    if (certainty != Certainty::Estimated || !std::isfinite(ratio.high) || difference.a == 0 || difference.b == 0)
        return {};
    if (ratio.low == ratio.high)
        return "exact"; // heaps that were sampled for a part of the time, in which nothing of this was allocated
    if (isManyTimes(difference))
        return fmt::format("× {} to {}", costText(ratio.low, Unit::Count), costText(ratio.high, Unit::Count));
    return formatInterval((ratio.low - 1) * 100, (ratio.high - 1) * 100, Unit::Percent, Sign::Always);
}

std::string markdownCell(std::string_view text)
{
    constexpr std::string_view kMarkup = "\\`*_{}[]<>()#|~&";
    std::string cell;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            cell += ' ';
            continue;
        }
        if (c == '<' || c == '>' || c == '&') {
            cell += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
            continue;
        }
        if (kMarkup.find(c) != std::string_view::npos)
            cell += '\\';
        cell += c;
    }
    return cell;
}

std::string_view functionHeading(CostKind kind)
{
    return costInfo(kind).source == CostSource::Heap ? "function that asked" : "function (self)";
}

std::string severalFunctionsText(const FunctionDifference &row)
{
    return row.functions < 2 ? std::string() : fmt::format("  ({} functions)", row.functions);
}

std::string_view whyNotJudged(CostKind kind)
{
    switch (costInfo(kind).source) {
    case CostSource::Wait:
        return "how much waits vary from run to run is not known";
    case CostSource::SystemCall:
        return kind == CostKind::SystemCallTime ? "how much times vary from run to run is not known"
                                                : "a part is estimated, with an error that is not known";
    case CostSource::Heap:
    case CostSource::Cpu:
        break;
    }
    return "the error of these estimates of a sampled heap is not known";
}

std::string_view certaintyKey(Certainty certainty)
{
    switch (certainty) {
    case Certainty::Exact:
        return "exact";
    case Certainty::Estimated:
        return "estimated";
    case Certainty::Unknown:
        return "unknown";
    }
    return {};
}

} // namespace model
