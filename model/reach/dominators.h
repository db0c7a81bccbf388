// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "model/reach/reachability.h"

#include <cstdint>
#include <vector>

namespace model {

/// What would go if a block went: the blocks that every chain from a root passes it to reach.
struct Retained
{
    std::vector<BlockSum> byBlock; ///< itself included; nothing of blocks that are not held
    std::vector<BlockSum> byNode;  ///< by ScanBlock::node: of all its blocks together, none counted twice
};

/// Dominators of the graph of the blocks that are held, by the Semi-NCA algorithm (L. Georgiadis, Linear-time algorithms for dominators
/// and related problems, 2005). Near O(blocks + links) in practice; about 60 bytes a block and 4 a link while it runs.
Retained retainedSizes(const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks);

} // namespace model
