// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/gate_limits.h"

#include "app/amount_text.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace app {

namespace {

using model::Error;
using model::GateKey;
using model::GateKeyInfo;
using model::GateLimit;
using model::GateLimits;
using model::Result;

constexpr std::array<std::string_view, 3> kKinds{"unit", "integration", "soak"};

struct ThresholdKey
{
    std::string_view name;
    GateKey key;
};

/// What a file of thresholds calls a value that must not be exceeded. max_growth and no_leaks beside them.
constexpr std::array<ThresholdKey, 11> kThresholds{{
    {"max_peak", GateKey::PeakBytes},
    {"max_allocations", GateKey::Allocations},
    {"max_allocated", GateKey::AllocatedBytes},
    {"max_temporary", GateKey::Temporaries},
    {"max_live", GateKey::LeftBytes},
    {"max_live_blocks", GateKey::LeftBlocks},
    {"max_system_calls", GateKey::SystemCalls},
    {"max_instructions", GateKey::Instructions},
    {"max_cpu_time", GateKey::CpuTime},
    {"max_own_time", GateKey::OwnTime},
    {"max_wall_time", GateKey::WallTime},
}};

std::string thresholdNames()
{
    std::string names;
    for (const ThresholdKey &threshold : kThresholds)
        names += fmt::format("{}, ", threshold.name);
    return names + "max_growth, no_leaks";
}

GateLimit &limitOf(GateLimits &limits, GateKey key) { return limits[static_cast<std::size_t>(key)]; }

/// "+5%", "+100", "+1MiB": without the sign.
std::optional<GateLimit> growthOf(std::string_view text, model::Unit unit)
{
    const bool isShare = text.ends_with('%');
    const auto value = parseAmount(text, isShare ? model::Unit::Percent : unit);
    if (!value || *value < 0 || *value > 1e18)
        return std::nullopt;
    return isShare ? GateLimit{*value / 100, 0, {}, false} : GateLimit{0, *value, {}, false};
}

void setGrowth(GateLimit &limit, const GateLimit &growth)
{
    limit.share = growth.share;
    limit.amount = growth.amount;
    limit.isOff = false;
}

/// Reads one file; remembers its name for errors.
class ThresholdReader
{
public:
    explicit ThresholdReader(const std::string &origin)
        : m_origin(origin)
    {
    }

    Result<void> read(const toml::table &file, const ThresholdChoice &choice, GateLimits &limits) const;

private:
    Error at(const toml::node &node, const std::string &text) const
    {
        return Error(fmt::format("{}:{}: {}", m_origin, node.source().begin.line, text));
    }
    Result<void> apply(const toml::node &node, std::string_view name, GateLimits &limits) const;
    Result<void> value(const toml::node &node, std::string_view key, GateLimits &limits) const;
    Result<void> growth(const toml::node &node, GateLimits &limits) const;
    Result<void> tests(const toml::node &node, const ThresholdChoice &choice, GateLimits &limits) const;

    const std::string &m_origin;
};

Result<void> ThresholdReader::value(const toml::node &node, std::string_view key, GateLimits &limits) const
{
    const auto *known = std::find_if(
        kThresholds.begin(), kThresholds.end(), [key](const ThresholdKey &one) { return one.name == key; });
    if (known == kThresholds.end())
        return at(node, fmt::format("there is no threshold \"{}\"; there are {}", key, thresholdNames()));
    const model::Unit unit = model::gateKeyInfo(known->key).unit;
    GateLimit &limit = limitOf(limits, known->key);
    const auto text = node.value_exact<std::string>();
    if (text == "off") {
        limit.most.reset();
        return {};
    }
    std::optional<double> amount;
    if (text)
        amount = parseAmount(*text, unit);
    else if (const auto number = node.value_exact<std::int64_t>(); number && unit != model::Unit::Nanoseconds)
        amount = static_cast<double>(*number);
    if (!amount || *amount < 0)
        return at(node, fmt::format("{} is {}, or \"off\"", key, amountExample(unit)));
    limit.most = amount;
    return {};
}

Result<void> ThresholdReader::growth(const toml::node &node, GateLimits &limits) const
{
    const auto text = node.value_exact<std::string>().value_or("");
    const auto growth = text.ends_with('%') ? growthOf(text, model::Unit::Percent) : std::nullopt;
    if (!growth)
        return at(node, "max_growth is a share of the baseline, such as \"5%\"");
    for (const GateKeyInfo &info : model::kGateKeys)
        if (model::isGateKeyMeant("counters", info))
            setGrowth(limitOf(limits, info.key), *growth);
    return {};
}

Result<void> ThresholdReader::apply(const toml::node &node, std::string_view name, GateLimits &limits) const
{
    const toml::table *table = node.as_table();
    if (table == nullptr)
        return at(node, fmt::format("{} is a table: [{}]", name, name));
    for (const auto &[key, one] : *table) {
        Result<void> read;
        if (key.str() == "max_growth")
            read = growth(one, limits);
        else if (key.str() != "no_leaks")
            read = value(one, key.str(), limits);
        else if (const auto flag = one.value_exact<bool>())
            limitOf(limits, GateKey::LostBlocks).most = *flag ? std::optional(0.0) : std::nullopt;
        else
            read = at(one, "no_leaks is true or false");
        if (!read)
            return read;
    }
    return {};
}

Result<void> ThresholdReader::tests(const toml::node &node, const ThresholdChoice &choice, GateLimits &limits) const
{
    const toml::table *table = node.as_table();
    if (table == nullptr)
        return at(node, "tests have a table each: [test.\"name of the test\"]");
    for (const auto &[name, one] : *table) {
        GateLimits unused{};
        const bool isChosen = !choice.test.empty() && name.str() == choice.test;
        if (const auto read = apply(one, fmt::format("test.\"{}\"", name.str()), isChosen ? limits : unused); !read)
            return read;
    }
    return {};
}

Result<void> ThresholdReader::read(const toml::table &file, const ThresholdChoice &choice, GateLimits &limits) const
{
    for (const auto &[key, node] : file) {
        GateLimits unused{};
        if (key.str() == "test")
            continue;
        if (std::find(kKinds.begin(), kKinds.end(), key.str()) == kKinds.end())
            return at(node,
                fmt::format("there is no kind of test \"{}\"; there are unit, integration, soak, and test.\"name\"",
                    key.str()));
        if (const auto read = apply(node, key.str(), key.str() == choice.kind ? limits : unused); !read)
            return read;
    }
    const toml::node *test = file.get("test");
    return test != nullptr ? tests(*test, choice, limits) : Result<void>();
}

Error badLimit(std::string_view text, const std::string &why)
{
    std::string names;
    for (const GateKeyInfo &info : model::kGateKeys)
        names += fmt::format("{}, ", info.name);
    return Error(
        fmt::format("--max {}: {}; write KEY=+5% or KEY=+100 for a growth, KEY=100 for a value, or KEY=off; KEY "
                    "is one of {}counters, times, all",
            text, why, names));
}

Result<void> changeLimit(std::string_view text, std::string_view value, const GateKeyInfo &info, GateLimit &limit)
{
    if (value == "off") {
        limit.isOff = true;
        limit.most.reset();
        return {};
    }
    const bool isGrowth = value.starts_with('+');
    if (isGrowth || value.ends_with('%')) {
        const auto growth = growthOf(value.substr(isGrowth ? 1 : 0), info.unit);
        if (!growth)
            return badLimit(text, "that is no growth");
        setGrowth(limit, *growth);
        return {};
    }
    const auto amount = parseAmount(value, info.unit);
    if (!amount || *amount < 0)
        return badLimit(text, fmt::format("{} is {}", info.name, amountExample(info.unit)));
    limit.most = amount;
    return {};
}

} // namespace

Result<void> readGateLimit(std::string_view text, GateLimits &limits)
{
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos)
        return badLimit(text, "there is no \"=\"");
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1);
    const bool isValue = value != "off" && !value.starts_with('+') && !value.ends_with('%');
    bool isKnown = false;
    for (const GateKeyInfo &info : model::kGateKeys) {
        // The growth of the wall time is judged by the own time where that is known.
        const bool isOfWall
            = !isValue && info.key == GateKey::OwnTime && name == model::gateKeyInfo(GateKey::WallTime).name;
        if (!model::isGateKeyMeant(name, info) && !isOfWall)
            continue;
        isKnown = true;
        if (isValue && name != info.name)
            return badLimit(text, "a value is of one quantity");
        if (const auto changed = changeLimit(text, value, info, limitOf(limits, info.key)); !changed)
            return changed;
    }
    return isKnown ? Result<void>() : badLimit(text, "there is no such key");
}

Result<void> readThresholds(
    std::string_view text, const std::string &origin, const ThresholdChoice &choice, GateLimits &limits)
{
    if (!choice.kind.empty() && std::find(kKinds.begin(), kKinds.end(), choice.kind) == kKinds.end())
        return Error(fmt::format("There is no kind of test \"{}\"; there are unit, integration, soak", choice.kind));
    try {
        return ThresholdReader(origin).read(toml::parse(text, origin), choice, limits);
    } catch (const toml::parse_error &error) {
        return Error(fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
    }
}

Result<void> readThresholds(const ThresholdChoice &choice, GateLimits &limits)
{
    if (choice.file.empty())
        return {};
    errno = 0;
    std::ifstream file(choice.file, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        return model::systemError("Cannot read the thresholds in " + choice.file, errno);
    return readThresholds(text.str(), choice.file, choice, limits);
}

} // namespace app
