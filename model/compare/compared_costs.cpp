// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/compared_costs.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/tracer_time.h"
#include "model/analysis/coverage.h"
#include "model/base/format_units.h"
#include "model/kernel_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace model {

namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// The snapshot with the areas of a kind for its heap; made once.
class AreaSnapshots
{
public:
    explicit AreaSnapshots(SnapshotPointer snapshot)
        : m_snapshot(std::move(snapshot))
    {
    }

    SnapshotPointer of(std::optional<AreaKind> area)
    {
        if (!area)
            return m_snapshot;
        SnapshotPointer &made = m_made[*area];
        if (!made)
            made = std::make_shared<const Snapshot>(areaSnapshot(*m_snapshot, *area));
        return made;
    }

private:
    SnapshotPointer m_snapshot;
    std::map<AreaKind, SnapshotPointer> m_made;
};

bool hasHeap(const Snapshot &snapshot) { return snapshot.info.config.heap != HeapMode::Off; }
bool hasCpu(const Snapshot &snapshot) { return !snapshot.info.cpuEvent.empty(); }

/// Whether a session says anything of this cost: not recorded is not the same as none.
bool tells(const Snapshot &snapshot, const ComparableCost &cost)
{
    const CostSource source = costInfo(cost.kind).source;
    if (source == CostSource::Cpu)
        return hasCpu(snapshot);
    if (source == CostSource::Heap)
        return hasHeap(snapshot)
            && !(snapshot.heap.empty() && snapshot.heapSeries.empty()); // asked for need not be traced
    return isRecorded(snapshot, source);
}

/// What one session's samples show, those of the other must be able to show: else the kernel's part would be called gained or lost.
bool areSampledAlike(const Snapshot &a, const Snapshot &b)
{
    return !hasCpu(a) || !hasCpu(b) || isKernelSampled(a.info) == isKernelSampled(b.info);
}

/// Where one session was recorded in a way that the other was not.
std::vector<std::string> notesOf(const Snapshot &a, const Snapshot &b)
{
    std::vector<std::string> notes;
    if (hasHeap(a) != hasHeap(b))
        notes.push_back(fmt::format("The heap was recorded in {} only.", hasHeap(a) ? "A" : "B"));
    if (hasCpu(a) != hasCpu(b))
        notes.push_back(fmt::format("CPU samples were taken in {} only.", hasCpu(a) ? "A" : "B"));
    if (a.info.config.systemCalls != b.info.config.systemCalls)
        notes.push_back(fmt::format("System calls were recorded in {} only.", a.info.config.systemCalls ? "A" : "B"));
    if (a.info.config.waits != b.info.config.waits)
        notes.push_back(fmt::format("Waits were recorded in {} only.", a.info.config.waits ? "A" : "B"));
    if (hasHeap(a) && hasHeap(b) && isHeapSampled(a) != isHeapSampled(b))
        notes.push_back(
            fmt::format("The heap of {} was sampled, that of the other was not.", isHeapSampled(a) ? "A" : "B"));
    if (a.info.cpuEvent != b.info.cpuEvent && hasCpu(a) && hasCpu(b))
        notes.push_back(fmt::format("The CPU was sampled by {} in A and by {} in B: times differ for that alone.",
            a.info.cpuEvent, b.info.cpuEvent));
    if (!areSampledAlike(a, b))
        notes.push_back(
            fmt::format("CPU time in the kernel was sampled in {} only (see kernel.perf_event_paranoid), so "
                        "CPU time is not compared.",
                isKernelSampled(a.info) ? "A" : "B"));
    for (const auto &[name, snapshot] : {std::pair{"A", &a}, {"B", &b}}) {
        const Coverage trust = coverage(*snapshot);
        for (const CoverageItem &item : trust.items) {
            std::string note = fmt::format("{}: {}: {}", name, item.what, item.effect);
            const bool isKnown = std::find(notes.begin(), notes.end(), note) != notes.end();
            if (item.trust == Trust::Partial && !isKnown)
                notes.push_back(std::move(note));
        }
    }
    return notes;
}

/// What it cost to record one of them is no difference of the programs.
void noteTracer(const char *side, const WithoutTracer &own, const Snapshot &whole, std::vector<std::string> &notes)
{
    if (own.tracerNs > 0)
        notes.push_back(fmt::format("{}: {} of CPU time in the tracer ({} of all) are left out.", side,
            formatDuration({own.tracerNs}), formatShareOf(own.tracerNs, whole.cpuSummary.timeNs)));
}

} // namespace

const std::vector<ComparableCost> &comparableCosts()
{
    static const std::vector<ComparableCost> costs{
        {"cpu", "CPU time", CostKind::CpuTime, {}},
        {"syscalls", "System calls", CostKind::SystemCalls, {}},
        {"syscall_time", "Time in system calls", CostKind::SystemCallTime, {}, false},
        {"syscall_errors", "Failed system calls", CostKind::SystemCallErrors, {}, false},
        {"blocked", "Blocked time", CostKind::Blocked, {}},
        {"wait", "All waiting", CostKind::WaitTime, {}, false},
        {"waits", "Waits", CostKind::Waits, {}, false},
        {"allocations", "Allocations", CostKind::Allocations, {}},
        {"allocated", "Allocated bytes", CostKind::Allocated, {}, false},
        {"temporary", "Temporary allocations", CostKind::Temporary, {}, false},
        {"temporary_bytes", "Temporary bytes", CostKind::TemporaryBytes, {}, false},
        {"peak", "Bytes at the peak", CostKind::Peak, {}},
        {"peak_blocks", "Blocks at the peak", CostKind::PeakBlocks, {}, false},
        {"live", "Live at the end", CostKind::Live, {}},
        {"live_blocks", "Live blocks at the end", CostKind::LiveBlocks, {}, false},
        {"growth", "Growth of live bytes", CostKind::Growth, {}, false},
        {"mapped", "Mapped bytes", CostKind::Allocated, AreaKind::Mapping, false},
        {"mapped_live", "Mapped at the end", CostKind::Live, AreaKind::Mapping},
        {"pool", "Bytes taken from pools", CostKind::Allocated, AreaKind::Pool, false},
        {"pool_live", "Live in pools at the end", CostKind::Live, AreaKind::Pool},
    };
    return costs;
}

std::vector<ComparableCost> comparableCostsOf(std::string_view keyOrGroup)
{
    std::vector<ComparableCost> found;
    for (const ComparableCost &cost : comparableCosts()) {
        const bool isHeap = !cost.area && costInfo(cost.kind).source == CostSource::Heap;
        if (cost.key == keyOrGroup || (keyOrGroup == "heap" && isHeap)
            || (keyOrGroup == "mappings" && cost.area == AreaKind::Mapping)
            || (keyOrGroup == "pools" && cost.area == AreaKind::Pool))
            found.push_back(cost);
        if (cost.key == keyOrGroup)
            found.back().isTold = true; // asked for by name
    }
    return found;
}

Result<ComparedSessions> compareSessions(std::shared_ptr<const Snapshot> a, std::shared_ptr<const Snapshot> b,
    const Normalisation &normalisation, const std::vector<ComparableCost> &costs, std::stop_token stop)
{
    ComparedSessions result{.normalisation = normalisation, .notes = notesOf(*a, *b)};
    for (const auto &[side, snapshot] : {std::pair{Side::A, a}, {Side::B, b}}) {
        const auto work = workOf(*snapshot, normalisation);
        if (!work)
            return work.error().within(side == Side::A ? "A" : "B");
        result.sessions[sideIndex(side)] = {snapshot, *work};
    }
    const WithoutTracer ownA = withoutTracer(a);
    const WithoutTracer ownB = withoutTracer(b);
    if (areSampledAlike(*a, *b)) {
        noteTracer("A", ownA, *a, result.notes);
        noteTracer("B", ownB, *b, result.notes);
    }
    AreaSnapshots areasA(a);
    AreaSnapshots areasB(b);
    bool isAnyInOne = false;
    for (const ComparableCost &cost : costs) {
        if (!tells(*a, cost) || !tells(*b, cost)) {
            isAnyInOne = isAnyInOne || tells(*a, cost) || tells(*b, cost);
            continue;
        }
        const bool isCpu = costInfo(cost.kind).source == CostSource::Cpu;
        if (isCpu && !areSampledAlike(*a, *b)) {
            isAnyInOne = true;
            continue;
        }
        const ComparedSession sessionA{isCpu ? ownA.snapshot : areasA.of(cost.area), result.sessions[0].work};
        const ComparedSession sessionB{isCpu ? ownB.snapshot : areasB.of(cost.area), result.sessions[1].work};
        auto comparison = compare(sessionA, sessionB, cost.kind, stop);
        if (!comparison)
            return Error("Comparing was cancelled");
        if (!comparison->stacks.empty())
            result.costs.push_back({cost, {sessionA, sessionB}, std::move(*comparison)});
    }
    if (result.costs.empty() && isAnyInOne)
        return Error(fmt::format("What one session recorded of these costs the other did not, so there is nothing to "
                                 "compare: record both in the same way. {}",
            fmt::join(result.notes, " ")));
    if (result.costs.empty())
        return Error(
            "Neither session has any of these costs in the selected time; see genprof report FILE for what it has");
    return result;
}

} // namespace model
