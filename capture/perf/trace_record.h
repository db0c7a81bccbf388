// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_event.h"
#include "capture/perf/perf_record.h"

#include <cstdint>
#include <span>

namespace capture {

/// The sorts of records in the rings of TraceEvents.
enum class TraceRecordKind : std::uint8_t {
    Enter,       ///< CallEntered
    Exit,        ///< CallReturned
    EnterStack,  ///< CopiedUserStack of a call
    Switch,      ///< ThreadSwitched; its event has no samples
    SwitchStack, ///< CopiedUserStack of a switch, with the kernel's call chain
    Unknown,
};

// What the samples of each event hold. All begin with the event's id, and end their other records with kTraceTrailerBytes.
inline constexpr std::uint64_t kTraceBase
    = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU;
inline constexpr std::uint64_t kEnterSampleType = kTraceBase | PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER;
inline constexpr std::uint64_t kExitSampleType = kTraceBase | PERF_SAMPLE_RAW;
inline constexpr std::uint64_t kStackSampleType = kTraceBase | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
inline constexpr std::uint64_t kSwitchSampleType = kStackSampleType | PERF_SAMPLE_CALLCHAIN;
/// rsp and the pc, in this order, by the kernel's numbers (asm/perf_regs.h).
inline constexpr std::uint64_t kPlaceRegisters = (1U << 7) | (1U << 8);

/// The id of the event that a record is of, without looking at more of it; 0 where it is too short.
std::uint64_t traceRecordId(std::span<const std::uint8_t> bytes);

/// Decodes a record of the event sort `kind`. `Ignored` for kinds that are of no use here, `Bad` where a size or count in it goes beyond its
/// end; then `record` is unspecified.
DecodeResult decodeTraceRecord(std::span<const std::uint8_t> bytes, TraceRecordKind kind, PerfRecord &record);

} // namespace capture
