// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

namespace model {

/// What everything that was called through one node of the stack tree cost in the selection.
struct SubtreeCost
{
    HeapCost heap; ///< sums; `stack` and `image` are what was asked for
    std::int64_t cpuSamples = 0;
    std::int64_t cpuTimeNs = 0;
};

/// Sums the rows of `image` (all, if invalid) whose stack is `node` or lies above it towards the leaf. O(rows + stack nodes).
SubtreeCost subtreeCost(const Snapshot &snapshot, StackId node, ImageId image);

} // namespace model
