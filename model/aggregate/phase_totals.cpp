// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/phase_totals.h"

#include "model/aggregate/heap_modes.h"
#include "model/heap_mode.h"

#include <algorithm>
#include <map>
#include <utility>

namespace model {

std::vector<PhaseTotal> phaseTotals(const Snapshot &snapshot)
{
    std::vector<PhaseTotal> totals;
    std::map<std::pair<std::uint32_t, std::string>, std::size_t> places;
    const Timestamp last{snapshot.info.duration.ns};
    for (const Phase &phase : snapshot.phases) {
        if (phase.begin < snapshot.span.begin || snapshot.span.end < phase.begin)
            continue;
        const auto [place, isNew] = places.try_emplace({phase.depth, phase.name}, totals.size());
        if (isNew)
            totals.push_back({phase.name, phase.depth, 0, {}, {}, phase.begin});
        PhaseTotal &total = totals[place->second];
        const Duration length{std::max<std::int64_t>(phase.end.value_or(last).ns - phase.begin.ns, 0)};
        ++total.count;
        total.time.ns += length.ns;
        total.longest.ns = std::max(total.longest.ns, length.ns);
    }
    return totals;
}

std::vector<Mark> timelineMarks(const Snapshot &snapshot)
{
    std::vector<Mark> marks = snapshot.marks;
    for (const Phase &phase : snapshot.phases)
        if (phase.depth == 0)
            marks.push_back({phase.begin, MarkKind::Program, phase.name});
    for (const HeapModeChange &step : heapStepsIn(snapshot, {{}, {snapshot.info.duration.ns}}))
        marks.push_back({step.when, MarkKind::Process, "heap: " + heapModeWords(step.periodBytes)});
    std::stable_sort(marks.begin(), marks.end(), [](const Mark &a, const Mark &b) { return a.when < b.when; });
    return marks;
}

} // namespace model
