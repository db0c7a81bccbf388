// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "model/reach/reachability.h"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace model {

/// What would go if a block went: the blocks that every chain from a root passes it to reach.
struct Retained
{
    // Parallel, of each block that is held, in no order:
    std::vector<std::uint32_t> blocks; ///< its index
    std::vector<std::uint32_t> nodes;  ///< its ScanBlock::node
    std::vector<BlockSum> sums;        ///< what it retains, itself included
    std::vector<BlockSum> byNode;      ///< by node: of all its blocks together, none counted twice
};

/// Dominators of the graph of the blocks that are held, by the Semi-NCA algorithm (L. Georgiadis, Linear-time algorithms for dominators
/// and related problems, 2005). Near O(blocks + links) in practice; about 50 bytes a block and 12 a link while it runs. Empty when asked to stop.
Retained retainedSizes(
    const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks, const std::stop_token &stop = {});

} // namespace model
