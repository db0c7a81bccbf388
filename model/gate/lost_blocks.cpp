// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/lost_blocks.h"

#include "model/aggregate/stack_text.h"
#include "model/report/lost_report.h"
#include "model/scan_reading.h"

#include <algorithm>

namespace model {

namespace {

std::int64_t lostOf(const ScannedStack &stack)
{
    return stack.sums[static_cast<std::size_t>(ReachClass::Directly)].blocks
        + stack.sums[static_cast<std::size_t>(ReachClass::Indirectly)].blocks;
}

} // namespace

std::optional<LostBlocks> lostBlocks(const Snapshot &snapshot)
{
    const auto scans = lastScans(snapshot);
    if (scans.empty())
        return std::nullopt;
    LostBlocks lost;
    for (const auto &scan : scans) {
        lost.blocks += scan->lost().blocks;
        if (scan->proof == ScanProof::LowerBound && lost.limits.empty())
            lost.limits = scanLimits(scan->limits).limits;
    }
    return lost;
}

std::vector<GateStack> lostStacks(const Snapshot &snapshot, std::size_t most)
{
    std::vector<std::pair<std::int64_t, StackId>> lost;
    for (const auto &scan : lastScans(snapshot))
        for (const ScannedStack &stack : scan->stacks)
            if (lostOf(stack) > 0)
                lost.emplace_back(lostOf(stack), stack.stack);
    std::stable_sort(lost.begin(), lost.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
    lost.resize(std::min(lost.size(), most));
    FunctionIndex index(snapshot.tables);
    std::vector<GateStack> stacks;
    for (const auto &[blocks, stack] : lost) {
        stacks.push_back({0, static_cast<double>(blocks), collapsedStack(index, stack)});
        setFrames(stacks.back(), index, stack, CostSource::Heap);
    }
    return stacks;
}

} // namespace model
