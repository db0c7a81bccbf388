// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/aggregate/function_index.h"
#include "model/snapshot.h"

#include <cstdint>
#include <vector>

namespace model {

/// What the stacks of a program that read alike cost together, over all of its processes.
struct MergedHeapCost
{
    HeapCost cost;               ///< the sums; image and stack are those of the first row
    std::uint32_t processes = 1; ///< how many processes they were of
};

/// What has to be the same for two stacks to read alike; modules are told by their paths.
enum class StackDetail : std::uint8_t {
    Functions, ///< names and modules
    Places,    ///< files, lines and addresses too
};

/// Rows of Snapshot::heap, added up where program and stack read alike: a build runs a compiler a thousand times, each with the same stacks. In
/// the order in which they first appear. The errors of rows are independent, so variances add up.
std::vector<MergedHeapCost> mergedHeap(const Snapshot &snapshot, FunctionIndex &functions, StackDetail detail);

/// The same, heaviest by `kind` first.
std::vector<MergedHeapCost> heaviestHeap(
    const Snapshot &snapshot, FunctionIndex &functions, StackDetail detail, CostKind kind);

/// Rows of Snapshot::cpu, added up where thread, image and the functions of the stack are the same; stack is that of the heaviest. Heaviest first.
std::vector<CpuCost> heaviestCpu(const Snapshot &snapshot, FunctionIndex &functions);

/// Adds what `row` cost; image and stack stay.
void addCost(HeapCost &sum, const HeapCost &row);

} // namespace model
