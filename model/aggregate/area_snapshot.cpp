// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/area_snapshot.h"

#include "model/aggregate/sampling_error.h"

#include <map>
#include <tuple>
#include <utility>

namespace model {

namespace {

void add(HeapCost &sum, const HeapCost &cost)
{
    sum.allocations += cost.allocations;
    sum.allocatedBytes += cost.allocatedBytes;
    sum.frees += cost.frees;
    sum.freedBytes += cost.freedBytes;
    sum.liveBytes += cost.liveBytes;
    sum.liveBlocks += cost.liveBlocks;
    sum.liveBytesAtBegin += cost.liveBytesAtBegin;
    sum.liveBlocksAtBegin += cost.liveBlocksAtBegin;
}

} // namespace

Snapshot areaSnapshot(const Snapshot &snapshot, AreaKind kind, std::optional<StringId> name)
{
    Snapshot result = snapshot;
    result.heap.clear();
    result.heapSeries.clear();
    result.heapSizes.clear();
    result.heapGrowth.clear();
    result.growthTimes.clear();
    result.heapSummary = {};
    result.heapModes.clear();
    if (isHeapSampled(snapshot))
        result.info.config.heap = HeapMode::Full; // an area is told of event by event, also where the heap is sampled
    std::map<std::pair<ImageId, StackId>, HeapCost> rows;
    for (const MemoryArea &area : snapshot.areas) {
        if (area.kind != kind || (name && area.name != *name))
            continue;
        HeapSummary &summary = result.heapSummary;
        summary.allocations += area.total.allocations;
        summary.allocatedBytes += area.total.allocatedBytes;
        summary.frees += area.total.frees;
        summary.freedBytes += area.total.freedBytes;
        summary.liveBytes += area.total.liveBytes;
        summary.liveBlocks += area.total.liveBlocks;
        summary.peakBytes += area.total.peakBytes;
        for (const HeapCost &cost : area.costs)
            add(rows[{cost.image, cost.stack}], cost);
    }
    for (auto &[key, cost] : rows) {
        std::tie(cost.image, cost.stack) = key;
        result.heap.push_back(cost);
    }
    return result;
}

std::string_view areaKindKey(AreaKind kind) { return kind == AreaKind::Pool ? "pool" : "mapping"; }

std::string areaName(const Snapshot &snapshot, const MemoryArea &area)
{
    const std::string &name = snapshot.tables->text(area.name);
    return area.kind == AreaKind::Pool ? "pool " + name : "mappings: " + name;
}

} // namespace model
