// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "model/reach/dominators.h"

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace model {

/// Which block it was that a scan found lost: a later one at the same address has another birth.
struct LostBlock
{
    std::uint64_t address = 0;
    std::int64_t birthUs = 0;
    friend auto operator<=>(const LostBlock &, const LostBlock &) = default;
};

/// What a scan says by stack node. As ScannedStack and HolderPath, which name stacks of the session.
struct ScannedNode
{
    std::uint32_t node = 0;
    ReachSums sums{};
    BlockSum confirmed, held, retained;
};
struct NodePath
{
    struct Step
    {
        std::uint32_t node = 0;
        std::int64_t blocks = 1;
    };
    std::uint32_t node = 0;
    std::uint32_t root = 0; ///< position in PointerGraph::roots
    BlockSum retained;
    std::vector<Step> way;
};

struct ReachSummary
{
    ReachSums sums{};
    BlockSum confirmed;
    std::vector<ScannedNode> nodes; ///< all that have blocks
    std::vector<NodePath> paths;    ///< greatest retained first; at most one a node
    std::vector<LostBlock> lost;    ///< and judged; ascending
};

struct ReachParameters
{
    std::int64_t nowUs = 0;        ///< of the stop
    std::int64_t minAgeUs = 0;     ///< younger blocks are not judged
    std::int64_t firstBirthUs = 0; ///< nor are older ones than that: their frees may have been lost
    std::size_t pathCount = 20;
    std::span<const LostBlock> earlier; ///< what an earlier scan called lost; ascending
};

/// Classes, sums and ways of the blocks of a graph. Empty when asked to stop.
ReachSummary summarizeReach(const BlockIndex &blocks, const PointerGraph &graph, const Marks &marks,
    const ReachParameters &parameters, const std::stop_token &stop = {});

} // namespace model
