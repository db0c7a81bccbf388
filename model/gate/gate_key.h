// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/base/result.h"

#include <array>
#include <cstdint>
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
    Instructions,
    SystemCalls,
    CpuTime,
    WallTime,
};
inline constexpr std::size_t kGateKeyCount = static_cast<std::size_t>(GateKey::WallTime) + 1;

/// How a quantity is come by.
enum class GateSource : std::uint8_t {
    Heap,    ///< a recorded run
    Counter, ///< the kernel's counters over a plain run
    Time,    ///< the clock over a plain run
};

/// A growth that is accepted: of a share of the base, and of an amount beside it.
struct GateLimit
{
    double share = 0;
    double amount = 0;

    double of(double base) const { return base + base * share + amount; }
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

/// Changes limits as "peak_bytes=+5%", "allocations=+100" say (amounts in bytes, nanoseconds, or counts); "counters" stands for all counts, "times"
/// for both times, "all" for everything. Fails with a sentence.
Result<void> readGateLimit(std::string_view text, GateLimits &limits);

/// "+5 %", "+100", "none".
std::string gateLimitText(const GateLimit &limit, Unit unit);

} // namespace model
