// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/alert_rules.h"

#include "model/analysis/known_limits.h"

#include <fmt/format.h>

#include <cmath>

namespace model {

namespace {

constexpr Duration kMinute = Duration::fromMs(60'000);
constexpr Duration kHour = Duration::fromMs(3'600'000);
constexpr Duration kLongestWindow{7ll * 24 * kHour.ns};

/// "resident memory", "CPU": as a label reads within a sentence.
std::string inSentence(std::string_view label)
{
    std::string text(label);
    if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z')
        text[0] = static_cast<char>(text[0] | 0x20);
    return text;
}

/// Whether what the rule compares is a share that never exceeds a whole. CPU of one processor does where there are more, growth does, and of
/// a heap as much may be asked for as nobody has.
bool isPartOfWhole(const AlertRule &rule)
{
    const auto *metric = std::get_if<Metric>(&rule.source);
    switch (rule.test) {
    case AlertTest::AboveOfCores:
        return true;
    case AlertTest::AboveOfLimit:
        return metric != nullptr;
    case AlertTest::Above:
    case AlertTest::Below:
        return metric != nullptr && *metric == Metric::MemoryPressure;
    default:
        return false;
    }
}

/// What is wrong with the numbers of a rule, as ruleProblem() says it.
std::string numberProblem(const AlertRule &rule)
{
    constexpr double kWhole = 100;
    const bool grows = rule.test == AlertTest::GrowsPercent || rule.test == AlertTest::GrowsBy;
    const std::string threshold = formatValue(rule.threshold, valueUnit(rule));
    if (rule.threshold < 0)
        return grows
            ? fmt::format("with a threshold of {} it would fire always: name 0 or more", threshold)
            : fmt::format(
                "the threshold is {}, and nothing that is watched is ever less than 0: name 0 or more", threshold);
    if (rule.clearsAt && *rule.clearsAt < 0 && !grows)
        return fmt::format("it would never end: {} does not fall below {}; name a clears_at of 0 or more",
            watchedKey(rule), formatValue(*rule.clearsAt, valueUnit(rule)));
    if (isPartOfWhole(rule) && rule.threshold > kWhole)
        return fmt::format("{} is never above {}{}: name a threshold from 0 to 100 %", watchedKey(rule),
            formatValue(rule.threshold, Unit::Percent),
            rule.test == AlertTest::AboveOfCores       ? " of all processors"
                : rule.test == AlertTest::AboveOfLimit ? " of its limit"
                                                       : "");
    return {};
}

} // namespace

Unit valueUnit(const AlertRule &rule)
{
    switch (rule.test) {
    case AlertTest::AboveOfLimit:
    case AlertTest::AboveOfCores:
    case AlertTest::GrowsPercent:
        return Unit::Percent;
    case AlertTest::ReachesWithin:
        return Unit::Nanoseconds;
    case AlertTest::NewlyLost:
        return Unit::Bytes;
    case AlertTest::Above:
    case AlertTest::Below:
    case AlertTest::GrowsBy:
        break;
    }
    return seriesInfo(rule.source).unit;
}

std::string_view watchedKey(const AlertRule &rule)
{
    return rule.test == AlertTest::NewlyLost ? "lost_bytes" : seriesInfo(rule.source).key;
}

bool isBadWhenHigh(AlertTest test) { return test != AlertTest::Below && test != AlertTest::ReachesWithin; }

double clearThreshold(const AlertRule &rule)
{
    if (rule.clearsAt)
        return *rule.clearsAt;
    switch (rule.test) {
    case AlertTest::GrowsPercent:
    case AlertTest::GrowsBy:
        return rule.threshold * 0.7;
    case AlertTest::ReachesWithin:
        return rule.threshold * 1.25;
    case AlertTest::Below:
        return rule.threshold + std::abs(rule.threshold) * 0.05;
    case AlertTest::NewlyLost:
        return rule.threshold;
    case AlertTest::Above:
    case AlertTest::AboveOfLimit:
    case AlertTest::AboveOfCores:
        break;
    }
    return rule.threshold - std::abs(rule.threshold) * 0.05;
}

std::string conditionText(const AlertRule &rule)
{
    const std::string what = inSentence(seriesInfo(rule.source).label);
    const std::string threshold = formatValue(rule.threshold, valueUnit(rule));
    const std::string holds = rule.holds.ns > 0 ? " for " + formatDuration(rule.holds) : std::string();
    switch (rule.test) {
    case AlertTest::Above:
        return fmt::format("{} above {}{}", what, threshold, holds);
    case AlertTest::Below:
        return fmt::format("{} below {}{}", what, threshold, holds);
    case AlertTest::AboveOfLimit:
        return fmt::format("{} above {} of its limit{}", what, threshold, holds);
    case AlertTest::AboveOfCores:
        return fmt::format("{} above {} of all processors{}", what, threshold, holds);
    case AlertTest::GrowsPercent:
    case AlertTest::GrowsBy:
        return fmt::format("{} grows by more than {} within {}{}", what, threshold, formatDuration(rule.window), holds);
    case AlertTest::ReachesWithin:
        return fmt::format("{} reaches its limit within {}{}", what, threshold, holds);
    case AlertTest::NewlyLost:
        return fmt::format("a scan finds more than {} lost at stacks that had lost none", threshold);
    }
    return what;
}

std::vector<AlertRule> defaultAlertRules()
{
    AlertRule growth{.name = "memory grows", .test = AlertTest::GrowsPercent, .threshold = 5, .window = kHour};
    AlertRule limit{.name = "memory near its limit", .test = AlertTest::AboveOfLimit, .threshold = 80};
    AlertRule busy{.name = "CPU busy", .source = CpuQuantity::Used, .test = AlertTest::AboveOfCores, .threshold = 90};
    AlertRule forecast{
        .name = "memory runs out", .test = AlertTest::ReachesWithin, .threshold = 8 * static_cast<double>(kHour.ns)};
    AlertRule lost{.name = "new lost memory", .source = HeapQuantity::LiveBytes, .test = AlertTest::NewlyLost};
    limit.holds = Duration::fromMs(10'000);
    busy.holds = {5 * kMinute.ns};
    return {growth, limit, busy, forecast, lost};
}

std::string ruleProblem(const AlertRule &rule)
{
    const std::string_view key = seriesInfo(rule.source).key;
    const bool grows = rule.test == AlertTest::GrowsPercent || rule.test == AlertTest::GrowsBy;
    if (rule.name.empty())
        return "a rule needs a name";
    if (!std::isfinite(rule.threshold))
        return "the threshold is no number";
    const bool needsLimit = rule.test == AlertTest::AboveOfLimit || rule.test == AlertTest::ReachesWithin;
    if (needsLimit && !canHaveLimit(rule.source))
        return fmt::format("{} is nothing that a limit holds for; rss_bytes, live_bytes, virtual_bytes, threads_count, "
                           "open_files_count and disk_used_bytes are",
            key);
    if (rule.test == AlertTest::NewlyLost && rule.holds.ns != 0)
        return "what a scan finds does not have to last: leave holds out";
    if (rule.test == AlertTest::NewlyLost && rule.threshold < 0)
        return "less than nothing cannot be lost";
    if (rule.test == AlertTest::AboveOfCores && !std::holds_alternative<CpuQuantity>(rule.source))
        return fmt::format("{} is no use of processors; cpu_percent is", key);
    if (std::string problem = numberProblem(rule); !problem.empty())
        return problem;
    if (grows && (rule.window < Duration::fromMs(1000) || rule.window > kLongestWindow))
        return "growth is looked for within 1 s to 7 d";
    if (isBadWhenHigh(rule.test) ? clearThreshold(rule) > rule.threshold : clearThreshold(rule) < rule.threshold)
        return fmt::format("it would end at {}, on the wrong side of {}",
            formatValue(clearThreshold(rule), valueUnit(rule)), formatValue(rule.threshold, valueUnit(rule)));
    return {};
}

} // namespace model
