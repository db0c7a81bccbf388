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
    case CostKind::CpuTime:
    case CostKind::CpuSamples:
        break;
    }
    return 0;
}

std::int64_t costOf(const CpuCost &row, CostKind kind)
{
    if (kind == CostKind::CpuTime)
        return row.timeNs;
    return kind == CostKind::CpuSamples ? row.samples : 0;
}

} // namespace model
