// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/snapshot_areas.h"

#include "storage/area_loader.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace storage {

namespace {

using model::Result;
using AreaPrefix = decltype(LoadedSession::areaCosts);

Result<AreaPrefix::Shared> sumsUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end)
{
    AreaPrefix::Shared values;
    if (auto done = areasUntil(database, damage, session, end, values); !done)
        return done.error();
    return values;
}

/// The greatest an area was within the window: what was live at its begin counts.
std::int64_t peakOf(const LoadedArea &area, const TickWindow &window)
{
    std::int64_t peak = 0;
    for (const LoadedArea::Tick &tick : area.ticks) {
        if (tick.tick >= window.last)
            break;
        peak = tick.tick < window.first ? tick.liveBytes : std::max(peak, tick.mostLiveBytes);
    }
    return peak;
}

void add(model::HeapCost &total, const model::HeapCost &cost)
{
    const auto sum
        = [&](std::int64_t model::HeapCost::*field) { total.*field = saturatedSum(total.*field, cost.*field); };
    sum(&model::HeapCost::allocations);
    sum(&model::HeapCost::allocatedBytes);
    sum(&model::HeapCost::frees);
    sum(&model::HeapCost::freedBytes);
    sum(&model::HeapCost::liveBytes);
    sum(&model::HeapCost::liveBlocks);
    sum(&model::HeapCost::liveBytesAtBegin);
    sum(&model::HeapCost::liveBlocksAtBegin);
}

void addCosts(const LoadedSession &session, const AreaPrefix::Values &before, const AreaPrefix::Values &after,
    std::vector<model::MemoryArea> &areas)
{
    const std::vector<HeapKey> &keys = session.areaCosts.keys();
    for (std::size_t slot = 0; slot < keys.size(); ++slot) {
        model::MemoryArea &area = areas[keys[slot].image];
        const HeapSums begin = slot < before.size() ? before[slot] : HeapSums{};
        const HeapSums end = slot < after.size() ? after[slot] : HeapSums{};
        HeapSums within = end;
        within.subtract(begin);
        if (within.isZero() && end.liveBytes() == 0 && begin.liveBytes() == 0)
            continue;
        model::HeapCost cost{.image = area.image, .stack = model::StackId(keys[slot].stack)};
        cost.allocations = within.allocations;
        cost.allocatedBytes = within.allocatedBytes;
        cost.frees = within.frees;
        cost.freedBytes = within.freedBytes;
        cost.liveBytes = end.liveBytes();
        cost.liveBlocks = end.liveBlocks();
        cost.liveBytesAtBegin = begin.liveBytes();
        cost.liveBlocksAtBegin = begin.liveBlocks();
        add(area.total, cost);
        area.costs.push_back(cost);
    }
}

/// How far off what is live of each image may be at the end; bytes².
std::unordered_map<std::uint32_t, double> liveVariances(const model::Snapshot &snapshot)
{
    std::unordered_map<std::uint32_t, double> variances;
    for (const model::HeapCost &row : snapshot.heap)
        if (row.liveVariance > 0)
            variances[row.image.value] += row.liveVariance;
    return variances;
}

/// Where the live blocks were thinned to samples, what is live became an estimate. What had been freed was counted, and that stands until
/// most of the blocks that were kept are freed: then the frees, in which each of them stands for several, are less well known than what was
/// allocated and is not live. The series keep what was counted in each tick.
void correctFrees(const model::HeapModeChange &mode, double liveVariance, model::Snapshot &snapshot)
{
    const bool isWithin = snapshot.span.begin < mode.when && mode.when <= snapshot.span.end;
    if (!isWithin || mode.liveVariance <= 0)
        return;
    if (liveVariance > mode.liveVariance / 2)
        return;
    model::HeapSummary &summary = snapshot.heapSummary;
    summary.frees = saturatedSum(summary.frees, mode.liveBlocksBefore - mode.liveBlocksAfter);
    summary.freedBytes = saturatedSum(summary.freedBytes, mode.liveBytesBefore - mode.liveBytesAfter);
    summary.frees = std::max(summary.frees, summary.temporaries); // which are frees, and were counted
}

} // namespace

Result<void> fillAreas(Database &database, Damage &damage, LoadedSession &session, const model::Selection &selection,
    const TickWindow &window, model::Snapshot &snapshot)
{
    for (const auto &[key, claim] : session.leakClaims)
        snapshot.leakClaims.push_back(claim);
    std::stable_sort(snapshot.leakClaims.begin(), snapshot.leakClaims.end(),
        [](const model::LeakClaim &a, const model::LeakClaim &b) { return a.accused < b.accused; });
    for (const auto &[id, alert] : session.alerts)
        snapshot.alerts.push_back(alert);
    std::stable_sort(snapshot.alerts.begin(), snapshot.alerts.end(),
        [](const model::AlertEvent &a, const model::AlertEvent &b) { return a.fired < b.fired; });
    for (const auto &[id, phase] : session.phases)
        if (isSelectedThread(session, selection, phase.thread.value))
            snapshot.phases.push_back(phase);
    std::stable_sort(snapshot.phases.begin(), snapshot.phases.end(),
        [](const model::Phase &a, const model::Phase &b) { return a.begin < b.begin; });
    const std::unordered_map<std::uint32_t, double> variances = liveVariances(snapshot);
    for (const model::HeapModeChange &mode : session.heapModes)
        if (isSelected(session, selection, mode.image.value)) {
            snapshot.heapModes.push_back(mode);
            const auto known = variances.find(mode.image.value);
            correctFrees(mode, known != variances.end() ? known->second : 0, snapshot);
        }
    std::stable_sort(snapshot.heapModes.begin(), snapshot.heapModes.end(),
        [](const model::HeapModeChange &a, const model::HeapModeChange &b) {
            return std::pair(a.image.value, a.when.ns) < std::pair(b.image.value, b.when.ns);
        });
    for (const auto &[process, series] : session.memoryParts)
        if (!selection.process || selection.process->value == process)
            snapshot.memoryParts.push_back(series);
    for (const auto &scan : session.scans)
        if (isSelected(session, selection, scan->image.value))
            snapshot.scans.push_back(scan);
    snapshot.soak = session.soak;
    if (session.areas.empty())
        return {};
    const auto before = sumsUntil(database, damage, session, window.first);
    if (!before)
        return before.error();
    const auto after = sumsUntil(database, damage, session, window.last);
    if (!after)
        return after.error();
    std::vector<model::MemoryArea> areas;
    for (const LoadedArea &area : session.areas) {
        areas.push_back({model::ImageId(area.key.image), area.key.kind, model::StringId(area.key.name), {}, {}});
        areas.back().total.image = areas.back().image;
        areas.back().total.peakBytes = peakOf(area, window);
    }
    addCosts(session, **before, **after, areas);
    for (model::MemoryArea &area : areas)
        if (isSelected(session, selection, area.image.value) && !area.costs.empty())
            snapshot.areas.push_back(std::move(area));
    return {};
}

} // namespace storage
