// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_costs.h"

#include <algorithm>
#include <numeric>

namespace model {

namespace {

template <typename Row> StackCosts addUp(const std::vector<Row> &rows, const std::vector<CostKind> &kinds)
{
    std::vector<std::uint32_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
        [&rows](std::uint32_t a, std::uint32_t b) { return rows[a].stack < rows[b].stack; });
    StackCosts result;
    result.kinds = kinds.size();
    std::vector<std::int64_t> sum(kinds.size());
    for (std::size_t i = 0; i < order.size();) {
        const StackId stack = rows[order[i]].stack;
        std::fill(sum.begin(), sum.end(), 0);
        for (; i < order.size() && rows[order[i]].stack == stack; ++i)
            for (std::size_t k = 0; k < kinds.size(); ++k)
                sum[k] += costOf(rows[order[i]], kinds[k]);
        if (std::all_of(sum.begin(), sum.end(), [](std::int64_t cost) { return cost == 0; }))
            continue;
        result.stacks.push_back(stack);
        result.costs.insert(result.costs.end(), sum.begin(), sum.end());
    }
    return result;
}

} // namespace

StackCosts stackCosts(const Snapshot &snapshot, const std::vector<CostKind> &kinds)
{
    const CostSource source = kinds.empty() ? CostSource::Heap : costInfo(kinds.front()).source;
    if (source == CostSource::Heap)
        return addUp(snapshot.heap, kinds);
    return source == CostSource::Cpu ? addUp(snapshot.cpu, kinds) : addUp(snapshot.activities, kinds);
}

} // namespace model
