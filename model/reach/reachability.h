// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/reach/pointer_graph.h"

#include <cstdint>
#include <vector>

namespace model {

/// How a block is held.
enum class HoldLevel : std::uint8_t {
    None,     ///< by nothing
    Interior, ///< each chain from a root has a pointer into the middle of a block
    Exact,    ///< by a chain of pointers to begins
};

/// What marking found, by block.
struct Marks
{
    static constexpr std::uint32_t kRootBit = std::uint32_t{1} << 31;

    std::vector<HoldLevel> level;
    /// The block before it on a shortest chain from a root, or kRootBit | position in PointerGraph::roots. Of blocks that are held.
    std::vector<std::uint32_t> holder;
};

/// Marks all blocks that chains of pointers lead to, breadth first: first along pointers to begins, then along any;
/// from strong roots as far as they lead, then from the others. O(blocks + links).
Marks markReachable(const PointerGraph &graph);

/// How blocks that nothing holds hang together.
struct LostBlocks
{
    std::vector<std::uint32_t> blocks; ///< all that are lost, ascending
    std::vector<bool> isDirect;      ///< parallel: no other lost block, but for those it points to itself, points to it
    std::vector<std::uint32_t> head; ///< parallel: the directly lost block that it is counted with
};

/// Finds the strongly connected components of the lost blocks (R. Tarjan, Depth-first search and linear graph algorithms, 1972). Of a
/// component that no other one points to, the oldest block is the directly lost one. O(lost blocks + their links).
LostBlocks groupLost(const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks);

} // namespace model
