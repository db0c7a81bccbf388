// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/base/result.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace model {

/// A quantity that the gate watches.
enum class GateKey : std::uint8_t {
    Allocations,
    AllocatedBytes,
    Temporaries,
    PeakBytes,
    LeftBytes, ///< live when the program ended
    LeftBlocks,
    LostBlocks, ///< no pointer leads to them when the program ends; looked for only where they have a limit
    Instructions,
    SystemCalls,
    CpuTime,
    OwnTime, ///< wall time without what a run waited for a processor that others had
    WallTime,
};
inline constexpr std::size_t kGateKeyCount = static_cast<std::size_t>(GateKey::WallTime) + 1;

/// How a quantity is come by.
enum class GateSource : std::uint8_t {
    Heap,    ///< a recorded run
    Counter, ///< the kernel's counters over a plain run
    Time,    ///< the clock over a plain run
};

/// What is accepted of a quantity: a growth, of a share of the base and of an amount beside it, and a value that it must never exceed.
struct GateLimit
{
    double share = 0;
    double amount = 0;
    std::optional<double> most; ///< whatever the base is, or without one; none: anything
    bool isOff = false;         ///< any growth is accepted

    double of(double base) const
    {
        return isOff ? std::numeric_limits<double>::infinity() : base + base * share + amount;
    }
    friend bool operator==(const GateLimit &, const GateLimit &) = default;
};

struct GateKeyInfo
{
    GateKey key;
    std::string_view name; ///< "peak_bytes": on the command line and in baselines
    std::string_view label;
    Unit unit;
    GateSource source;
    GateLimit limit;              ///< unless the user says another
    std::optional<CostKind> cost; ///< by which the responsible stacks are found
};

/// All of them, indexed by GateKey.
extern const std::array<GateKeyInfo, kGateKeyCount> kGateKeys;
inline const GateKeyInfo &gateKeyInfo(GateKey key) { return kGateKeys[static_cast<std::size_t>(key)]; }
std::optional<GateKey> gateKeyOf(std::string_view name);

/// The limits of all quantities.
using GateLimits = std::array<GateLimit, kGateKeyCount>;
GateLimits usualGateLimits();

/// Whether `name` means this quantity: its own name; "counters" stands for all counts, "times" for both times, "all" for everything.
bool isGateKeyMeant(std::string_view name, const GateKeyInfo &info);

/// Whether anything is asked of one of the quantities that come from `source`: not all of them are off, or one has a value that it must not exceed.
bool isJudged(const GateLimits &limits, GateSource source);

/// "+5 %", "+100", "none", "off": the growth.
std::string gateLimitText(const GateLimit &limit, Unit unit);

} // namespace model
