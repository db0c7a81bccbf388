// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/gate_key.h"

#include "model/report/difference_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace model {

namespace {

constexpr GateLimit kCounted{0.005, 0}; // 0.5 %
constexpr GateLimit kTimed{0.02, 0};
constexpr GateLimit kNone{};

bool isMeant(std::string_view name, const GateKeyInfo &info)
{
    const bool isTime = info.source == GateSource::Time;
    return name == info.name || name == "all" || (name == "times" && isTime) || (name == "counters" && !isTime);
}

} // namespace

const std::array<GateKeyInfo, kGateKeyCount> kGateKeys{{
    {GateKey::Allocations, "allocations", "Allocations", Unit::Count, GateSource::Heap, kCounted,
        CostKind::Allocations},
    {GateKey::AllocatedBytes, "allocated_bytes", "Allocated bytes", Unit::Bytes, GateSource::Heap, kCounted,
        CostKind::Allocated},
    {GateKey::Temporaries, "temporary", "Temporary allocations", Unit::Count, GateSource::Heap, kCounted,
        CostKind::Temporary},
    {GateKey::PeakBytes, "peak_bytes", "Peak of the heap", Unit::Bytes, GateSource::Heap, kCounted, CostKind::Peak},
    {GateKey::LeftBytes, "left_bytes", "Bytes left at the end", Unit::Bytes, GateSource::Heap, kNone, CostKind::Live},
    {GateKey::LeftBlocks, "left_blocks", "Blocks left at the end", Unit::Count, GateSource::Heap, kNone,
        CostKind::LiveBlocks},
    {GateKey::Instructions, "instructions", "Instructions", Unit::Count, GateSource::Counter, kCounted, {}},
    {GateKey::SystemCalls, "system_calls", "System calls", Unit::Count, GateSource::Counter, kCounted,
        CostKind::SystemCalls},
    {GateKey::CpuTime, "cpu_ns", "CPU time", Unit::Nanoseconds, GateSource::Time, kTimed, CostKind::CpuTime},
    {GateKey::WallTime, "wall_ns", "Wall time", Unit::Nanoseconds, GateSource::Time, kTimed, CostKind::CpuTime},
}};

std::optional<GateKey> gateKeyOf(std::string_view name)
{
    const auto found = std::find_if(
        kGateKeys.begin(), kGateKeys.end(), [name](const GateKeyInfo &info) { return info.name == name; });
    return found == kGateKeys.end() ? std::nullopt : std::optional(found->key);
}

GateLimits usualGateLimits()
{
    GateLimits limits;
    for (const GateKeyInfo &info : kGateKeys)
        limits[static_cast<std::size_t>(info.key)] = info.limit;
    return limits;
}

Result<void> readGateLimit(std::string_view text, GateLimits &limits)
{
    const auto bad = [text](const std::string &why) {
        std::string names;
        for (const GateKeyInfo &info : kGateKeys)
            names += fmt::format("{}, ", info.name);
        return Error(fmt::format(
            "--max {}: {}; write KEY=+5% or KEY=+100, KEY one of {}counters, times, all", text, why, names));
    };
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos)
        return bad("there is no \"=\"");
    const std::string_view name = text.substr(0, equals);
    std::string_view number = text.substr(equals + 1);
    if (number.starts_with('+'))
        number.remove_prefix(1);
    const bool isShare = number.ends_with('%');
    if (isShare)
        number.remove_suffix(1);
    double value = 0;
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (code != std::errc() || end != number.data() + number.size() || !(value >= 0) || value > 1e18)
        return bad("that is no growth");
    bool isKnown = false;
    for (const GateKeyInfo &info : kGateKeys) {
        if (!isMeant(name, info))
            continue;
        isKnown = true;
        limits[static_cast<std::size_t>(info.key)] = isShare ? GateLimit{value / 100, 0} : GateLimit{0, value};
    }
    return isKnown ? Result<void>() : bad("there is no such key");
}

std::string gateLimitText(const GateLimit &limit, Unit unit)
{
    if (limit.share > 0)
        return signedShare(limit.share);
    return limit.amount > 0 ? "+" + costText(limit.amount, unit) : "none";
}

} // namespace model
