// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/heap_counts.h"

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace model {

/// What a tick of one area consisted of. Rows are named by the recorder's stack nodes.
struct AreaTickCounts
{
    std::vector<std::pair<std::uint32_t, HeapCounts>> rows; ///< no node twice
    std::int64_t liveBytes = 0;
    std::int64_t liveBlocks = 0;
    std::int64_t mostLiveBytes = 0;

    bool isEmpty() const { return rows.empty(); }
};

/// Keeps the books of memory that is counted apart from malloc's: a pool, or mappings of one sort. One owning thread; memory grows with
/// the stacks of a tick only.
class AreaLedger
{
public:
    /// `node` took `bytes`.
    void allocated(std::uint32_t node, std::int64_t bytes);
    /// `bytes` of what `node` took are gone; with them the block, if they were the last.
    void freed(std::uint32_t node, std::int64_t bytes, bool isWhole);
    /// A block of `node` was cut in two.
    void split(std::uint32_t node);

    /// What happened since the last call, and starts anew.
    AreaTickCounts takeTick();

private:
    std::unordered_map<std::uint32_t, HeapCounts> m_rows; ///< of this tick
    std::int64_t m_liveBytes = 0;
    std::int64_t m_liveBlocks = 0;
    std::int64_t m_mostLiveBytes = 0;
};

} // namespace model
