// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/tracer_time.h"

#include "model/aggregate/own_code.h"

#include <algorithm>

namespace model {

bool isTracersOwn(FunctionIndex &index, StackId stack)
{
    const ProgramTables &tables = *index.tables();
    for (; !isRoot(stack); stack = tables.stacks[stack.index()].parent) {
        const FunctionIndex::Range places = index.placesOf(tables.stacks[stack.index()].frame);
        for (std::uint32_t i = places.count; i-- > 0;) {
            const FunctionId function = index.place(places.first + i).function;
            if (isTracerCode(index, function))
                return true;
            if (!isKernelCode(index, function))
                return false;
        }
    }
    return false;
}

WithoutTracer withoutTracer(std::shared_ptr<const Snapshot> snapshot)
{
    FunctionIndex index(snapshot->tables);
    std::int64_t tracerNs = 0;
    for (const CpuCost &row : snapshot->cpu)
        tracerNs += isTracersOwn(index, row.stack) ? row.timeNs : 0;
    if (tracerNs == 0)
        return {std::move(snapshot), 0};
    auto own = std::make_shared<Snapshot>(*snapshot);
    std::erase_if(own->cpu, [&index](const CpuCost &row) { return isTracersOwn(index, row.stack); });
    return {std::move(own), tracerNs};
}

} // namespace model
