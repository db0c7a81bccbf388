// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/subtree_cost.h"

#include "model/aggregate/merged_heap.h"

namespace model {

namespace {

/// Which stacks are `node` or were called through it; parents precede children, so one pass does.
std::vector<bool> through(const ProgramTables &tables, StackId node)
{
    std::vector<bool> isThrough(tables.stacks.size(), false);
    isThrough.at(node.index()) = true;
    for (std::size_t i = node.index() + 1; i < tables.stacks.size(); ++i) {
        const StackId parent = tables.stacks[i].parent;
        isThrough[i] = parent.isValid() && isThrough[parent.index()];
    }
    return isThrough;
}

} // namespace

SubtreeCost subtreeCost(const Snapshot &snapshot, StackId node, ImageId image)
{
    SubtreeCost cost;
    cost.heap.stack = node;
    cost.heap.image = image;
    const std::vector<bool> isThrough = through(*snapshot.tables, node);
    for (const HeapCost &row : snapshot.heap) {
        if (isThrough.at(row.stack.index()) && (!image.isValid() || row.image == image))
            addCost(cost.heap, row);
    }
    for (const CpuCost &row : snapshot.cpu) {
        if (!isThrough.at(row.stack.index()) || (image.isValid() && row.image != image))
            continue;
        cost.cpuSamples += row.samples;
        cost.cpuTimeNs += row.timeNs;
    }
    return cost;
}

} // namespace model
