// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/collapsed_stacks.h"

#include "model/aggregate/stack_costs.h"
#include "model/aggregate/stack_text.h"

#include <map>
#include <ostream>
#include <string>

namespace model {

void writeCollapsedStacks(std::ostream &out, const Snapshot &snapshot, CostKind kind)
{
    const StackCosts costs = stackCosts(snapshot, {kind});
    FunctionIndex index(snapshot.tables);
    std::map<std::string, std::int64_t> lines;
    for (std::size_t row = 0; row < costs.stacks.size(); ++row) {
        std::string stack = collapsedStack(index, costs.stacks[row]);
        lines[stack.empty() ? "[no stack]" : std::move(stack)] += costs.of(row)[0];
    }
    for (const auto &[stack, cost] : lines)
        if (cost > 0)
            out << stack << ' ' << cost << '\n';
}

} // namespace model
