// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"
#include "model/snapshot.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace model {

/// What stacks are weighed by.
enum class CostKind : std::uint8_t {
    Live,       ///< bytes live at the end of the selection
    LiveBlocks, ///< the blocks that they are
    Growth,     ///< live bytes at the end minus those at the begin; may be negative
    Peak,       ///< bytes live at the selection's peak
    PeakBlocks,
    Allocated,   ///< bytes allocated within the selection
    Allocations, ///< number of allocations
    Temporary,   ///< number of allocations freed before the thread's next one
    TemporaryBytes,
    Frees,   ///< number of blocks of this stack that were freed
    CpuTime, ///< nanoseconds, from samples
    CpuSamples,
    SystemCalls,      ///< number of system calls begun in the selection
    SystemCallTime,   ///< nanoseconds in them by the clock on the wall, waiting included
    SystemCallErrors, ///< number of those that returned an error
    SystemCallBytes,  ///< bytes that calls which read or write moved
    Blocked,          ///< nanoseconds in the waits that keep a program from going on, see WaitClassInfo::isBlocked
    WaitLock,         ///< nanoseconds in waits of one class, see WaitClass
    WaitIo,
    WaitMemory,
    WaitOther,
    WaitCondition,
    WaitEvents,
    WaitSleep,
    WaitChild,
    WaitProcessor,
    WaitTime, ///< nanoseconds in all of them
    Waits,    ///< number of waits
};
inline constexpr std::size_t kCostKindCount = static_cast<std::size_t>(CostKind::Waits) + 1;

/// Where a cost comes from.
enum class CostSource : std::uint8_t { Heap, Cpu, SystemCall, Wait };

/// How a cost is named.
struct CostInfo
{
    CostKind kind;
    CostSource source;
    std::string_view key;    ///< as on the command line: "live"
    std::string_view column; ///< snake_case with unit suffix, for CSV and JSON: "live_bytes"
    std::string_view label;  ///< for people: "Live bytes"
    Unit unit;
};

/// All kinds, indexed by CostKind.
extern const std::array<CostInfo, kCostKindCount> kCostKinds;

inline const CostInfo &costInfo(CostKind kind) { return kCostKinds[static_cast<std::size_t>(kind)]; }

/// The kind with this key; empty if there is none.
std::optional<CostKind> costKindOf(std::string_view key);

/// What a row contributes to `kind`; 0 for a kind of the other source.
std::int64_t costOf(const HeapCost &row, CostKind kind);
std::int64_t costOf(const CpuCost &row, CostKind kind);
std::int64_t costOf(const ActivityCost &row, CostKind kind);

/// Whether a cost was recorded: what is absent is not 0.
bool isRecorded(const SessionInfo &info, CostSource source);
/// What to record with to have it: "--cpu 999".
std::string_view optionFor(CostSource source);

} // namespace model
