// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/area_ledger.h"

#include "model/base/wrapping_sum.h"

#include <algorithm>

namespace model {

void AreaLedger::allocated(std::uint32_t node, std::int64_t bytes)
{
    HeapCounts &counts = m_rows[node];
    ++counts.allocations;
    addWrapping(counts.allocatedBytes, bytes);
    addWrapping(m_liveBytes, bytes);
    ++m_liveBlocks;
    m_mostLiveBytes = std::max(m_mostLiveBytes, m_liveBytes);
}

void AreaLedger::freed(std::uint32_t node, std::int64_t bytes, bool isWhole)
{
    HeapCounts &counts = m_rows[node];
    addWrapping(counts.freedBytes, bytes);
    subtractWrapping(m_liveBytes, bytes);
    if (!isWhole)
        return;
    ++counts.frees;
    --m_liveBlocks;
}

void AreaLedger::split(std::uint32_t node)
{
    ++m_rows[node].allocations;
    ++m_liveBlocks;
}

AreaTickCounts AreaLedger::takeTick()
{
    AreaTickCounts tick;
    tick.rows.assign(m_rows.begin(), m_rows.end());
    std::sort(tick.rows.begin(), tick.rows.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
    m_rows.clear();
    tick.liveBytes = m_liveBytes;
    tick.liveBlocks = m_liveBlocks;
    tick.mostLiveBytes = std::exchange(m_mostLiveBytes, m_liveBytes);
    return tick;
}

} // namespace model
