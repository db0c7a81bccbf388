// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/gate_key.h"

#include "model/report/difference_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

constexpr GateLimit kCounted{0.005, 0}; // 0.5 %
constexpr GateLimit kTimed{0.02, 0};
constexpr GateLimit kNone{};

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
    {GateKey::LostBlocks, "lost_blocks", "Lost blocks", Unit::Count, GateSource::Heap, kNone, {}},
    {GateKey::Instructions, "instructions", "Instructions", Unit::Count, GateSource::Counter, kCounted, {}},
    {GateKey::SystemCalls, "system_calls", "System calls", Unit::Count, GateSource::Counter, kCounted,
        CostKind::SystemCalls},
    {GateKey::CpuTime, "cpu_ns", "CPU time", Unit::Nanoseconds, GateSource::Time, kTimed, CostKind::CpuTime},
    {GateKey::OwnTime, "own_ns", "Own time", Unit::Nanoseconds, GateSource::Time, kTimed, CostKind::CpuTime},
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

bool isGateKeyMeant(std::string_view name, const GateKeyInfo &info)
{
    const bool isTime = info.source == GateSource::Time;
    return name == info.name || name == "all" || (name == "times" && isTime) || (name == "counters" && !isTime);
}

bool isJudged(const GateLimits &limits, GateSource source)
{
    return std::any_of(kGateKeys.begin(), kGateKeys.end(), [&](const GateKeyInfo &info) {
        const GateLimit &limit = limits[static_cast<std::size_t>(info.key)];
        return info.source == source && (!limit.isOff || limit.most.has_value());
    });
}

std::string gateLimitText(const GateLimit &limit, Unit unit)
{
    if (limit.isOff)
        return "off";
    if (limit.share > 0)
        return signedShare(limit.share);
    return limit.amount > 0 ? "+" + costText(limit.amount, unit) : "+0";
}

} // namespace model
