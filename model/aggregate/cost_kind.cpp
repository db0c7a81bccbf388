// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/cost_kind.h"

#include <algorithm>

namespace model {

const std::array<CostInfo, kCostKindCount> kCostKinds{{
    {CostKind::Live, CostSource::Heap, "live", "live_bytes", "Live bytes", Unit::Bytes},
    {CostKind::LiveBlocks, CostSource::Heap, "live_blocks", "live_blocks", "Live blocks", Unit::Count},
    {CostKind::Growth, CostSource::Heap, "growth", "growth_bytes", "Growth", Unit::Bytes},
    {CostKind::Peak, CostSource::Heap, "peak", "peak_bytes", "Bytes at the peak", Unit::Bytes},
    {CostKind::PeakBlocks, CostSource::Heap, "peak_blocks", "peak_blocks", "Blocks at the peak", Unit::Count},
    {CostKind::Allocated, CostSource::Heap, "allocated", "allocated_bytes", "Allocated bytes", Unit::Bytes},
    {CostKind::Allocations, CostSource::Heap, "allocations", "allocations", "Allocations", Unit::Count},
    {CostKind::Temporary, CostSource::Heap, "temporary", "temporary", "Temporary allocations", Unit::Count},
    {CostKind::TemporaryBytes, CostSource::Heap, "temporary_bytes", "temporary_bytes", "Temporary bytes", Unit::Bytes},
    {CostKind::Frees, CostSource::Heap, "frees", "frees", "Frees", Unit::Count},
    {CostKind::CpuTime, CostSource::Cpu, "cpu", "cpu_ns", "CPU time", Unit::Nanoseconds},
    {CostKind::CpuSamples, CostSource::Cpu, "samples", "samples", "CPU samples", Unit::Count},
    {CostKind::SystemCalls, CostSource::SystemCall, "syscalls", "system_calls", "System calls", Unit::Count},
    {CostKind::SystemCallTime, CostSource::SystemCall, "syscall_time", "system_call_ns", "Time in system calls",
        Unit::Nanoseconds},
    {CostKind::SystemCallErrors, CostSource::SystemCall, "syscall_errors", "system_call_errors", "Failed system calls",
        Unit::Count},
    {CostKind::SystemCallBytes, CostSource::SystemCall, "syscall_bytes", "system_call_bytes", "Bytes read and written",
        Unit::Bytes},
    {CostKind::Blocked, CostSource::Wait, "blocked", "blocked_ns", "Blocked time", Unit::Nanoseconds},
    {CostKind::WaitLock, CostSource::Wait, "wait_lock", "wait_lock_ns", "Waiting for locks", Unit::Nanoseconds},
    {CostKind::WaitIo, CostSource::Wait, "wait_io", "wait_io_ns", "Waiting for I/O", Unit::Nanoseconds},
    {CostKind::WaitMemory, CostSource::Wait, "wait_memory", "wait_memory_ns", "Waiting for memory", Unit::Nanoseconds},
    {CostKind::WaitOther, CostSource::Wait, "wait_other", "wait_other_ns", "Waiting, not known why", Unit::Nanoseconds},
    {CostKind::WaitCondition, CostSource::Wait, "wait_condition", "wait_condition_ns", "Waiting for other threads",
        Unit::Nanoseconds},
    {CostKind::WaitEvents, CostSource::Wait, "wait_events", "wait_events_ns", "Waiting for events", Unit::Nanoseconds},
    {CostKind::WaitSleep, CostSource::Wait, "wait_sleep", "wait_sleep_ns", "Sleeping", Unit::Nanoseconds},
    {CostKind::WaitChild, CostSource::Wait, "wait_child", "wait_child_ns", "Waiting for processes", Unit::Nanoseconds},
    {CostKind::WaitProcessor, CostSource::Wait, "wait_processor", "wait_processor_ns", "Waiting for a processor",
        Unit::Nanoseconds},
    {CostKind::WaitTime, CostSource::Wait, "wait", "wait_ns", "All waiting", Unit::Nanoseconds},
    {CostKind::Waits, CostSource::Wait, "waits", "waits", "Waits", Unit::Count},
}};

std::optional<CostKind> costKindOf(std::string_view key)
{
    const auto found
        = std::find_if(kCostKinds.begin(), kCostKinds.end(), [key](const CostInfo &info) { return info.key == key; });
    return found == kCostKinds.end() ? std::nullopt : std::optional(found->kind);
}

std::int64_t costOf(const HeapCost &row, CostKind kind)
{
    switch (kind) {
    case CostKind::Live:
        return row.liveBytes;
    case CostKind::LiveBlocks:
        return row.liveBlocks;
    case CostKind::Growth:
        return row.liveBytes - row.liveBytesAtBegin;
    case CostKind::Peak:
        return row.peakBytes;
    case CostKind::PeakBlocks:
        return row.peakBlocks;
    case CostKind::Allocated:
        return row.allocatedBytes;
    case CostKind::Allocations:
        return row.allocations;
    case CostKind::Temporary:
        return row.temporaries;
    case CostKind::TemporaryBytes:
        return row.temporaryBytes;
    case CostKind::Frees:
        return row.frees;
    default:
        return 0;
    }
}

std::int64_t costOf(const CpuCost &row, CostKind kind)
{
    if (kind == CostKind::CpuTime)
        return row.timeNs;
    return kind == CostKind::CpuSamples ? row.samples : 0;
}

std::int64_t costOf(const ActivityCost &row, CostKind kind)
{
    if (costInfo(kind).source != (row.activity.isWait() ? CostSource::Wait : CostSource::SystemCall))
        return 0;
    switch (kind) {
    case CostKind::SystemCalls:
    case CostKind::Waits:
        return row.count;
    case CostKind::SystemCallTime:
    case CostKind::WaitTime:
        return row.timeNs;
    case CostKind::SystemCallErrors:
        return row.errors;
    case CostKind::SystemCallBytes:
        return row.bytes;
    case CostKind::Blocked:
        return waitClassInfo(row.activity.waitClass()).isBlocked ? row.timeNs : 0;
    default: // of one class, in the order of WaitClass
        return static_cast<std::size_t>(kind) - static_cast<std::size_t>(CostKind::WaitLock)
                == static_cast<std::size_t>(row.activity.waitClass())
            ? row.timeNs
            : 0;
    }
}

bool isRecorded(const SessionInfo &info, CostSource source)
{
    switch (source) {
    case CostSource::Heap:
        return info.config.heap != HeapMode::Off;
    case CostSource::Cpu:
        return info.config.cpuHz > 0;
    case CostSource::SystemCall:
        return info.config.systemCalls;
    case CostSource::Wait:
        return info.config.waits;
    }
    return false;
}

std::string_view optionFor(CostSource source)
{
    switch (source) {
    case CostSource::Heap:
        return "--heap full";
    case CostSource::Cpu:
        return "--cpu 999";
    case CostSource::SystemCall:
        return "--syscalls";
    case CostSource::Wait:
        return "--waits";
    }
    return "";
}

} // namespace model
