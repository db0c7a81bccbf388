// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/alert_rule_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace model {

namespace {

constexpr std::array<AlertTestName, 7> kTests{{
    {AlertTest::Above, "above", "is above"},
    {AlertTest::Below, "below", "is below"},
    {AlertTest::AboveOfLimit, "above_of_limit", "is above a share of its limit"},
    {AlertTest::AboveOfCores, "above_of_cores", "is above a share of all processors"},
    {AlertTest::GrowsBy, "grows", "grows by more than"},
    {AlertTest::ReachesWithin, "reaches_limit_within", "is forecast to reach its limit within"},
    {AlertTest::NewlyLost, "newly_lost", "is newly lost, as a scan finds"},
}};

/// The greatest unit in which an amount has few digits.
template <std::size_t Count>
std::string inUnits(double value, const std::array<std::pair<double, std::string_view>, Count> &units)
{
    for (const auto &[factor, name] : units)
        if (std::abs(value) >= factor)
            return fmt::format("{:.4g}{}", value / factor, name);
    return fmt::format("{:.4g}{}", value / units.back().first, units.back().second);
}

std::string amountText(double value, Unit unit)
{
    constexpr std::array<std::pair<double, std::string_view>, 5> kBytes{
        {{0x1p40, "TiB"}, {0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}, {1, "B"}}};
    constexpr std::array<std::pair<double, std::string_view>, 4> kTimes{
        {{3600e9, "h"}, {60e9, "m"}, {1e9, "s"}, {1e6, "ms"}}};
    switch (unit) {
    case Unit::Bytes:
        return inUnits(value, kBytes);
    case Unit::BytesPerSecond:
        return inUnits(value, kBytes) + "/s";
    case Unit::BytesPerHour:
        return inUnits(value, kBytes) + "/h";
    case Unit::Percent:
        return fmt::format("{:.6g}%", value);
    case Unit::Nanoseconds:
        return inUnits(value, kTimes);
    case Unit::Count:
    case Unit::PerSecond:
        break;
    }
    return fmt::format("{:.0f}", value);
}

std::string durationText(Duration duration)
{
    return duration.ns == 0 ? std::string() : amountText(static_cast<double>(duration.ns), Unit::Nanoseconds);
}

} // namespace

std::span<const AlertTestName> alertTestNames() { return kTests; }

std::string_view alertTestKey(AlertTest test)
{
    if (test == AlertTest::GrowsPercent)
        test = AlertTest::GrowsBy;
    for (const AlertTestName &name : kTests)
        if (name.test == test)
            return name.key;
    return {};
}

AlertRuleText textOfRule(const AlertRule &rule)
{
    const Unit unit = valueUnit(rule);
    return {.isEnabled = true,
        .name = rule.name,
        .source = rule.test == AlertTest::NewlyLost ? std::string() : std::string(seriesInfo(rule.source).key),
        .test = std::string(alertTestKey(rule.test)),
        .threshold = amountText(rule.threshold, unit),
        .within = durationText(rule.window),
        .holds = durationText(rule.holds),
        .clearsAt = rule.clearsAt ? amountText(*rule.clearsAt, unit) : std::string(),
        .command = rule.command};
}

AlertRuleFile defaultAlertRuleFile()
{
    AlertRuleFile file;
    for (const AlertRule &rule : defaultAlertRules())
        file.rules.push_back(textOfRule(rule));
    return file;
}

} // namespace model
