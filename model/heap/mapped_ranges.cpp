// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/mapped_ranges.h"

#include <algorithm>
#include <iterator>

namespace model {

bool MappedRanges::add(std::uint64_t begin, const Range &range, const Gone &gone)
{
    if (range.end <= begin || m_ranges.size() >= kMostRanges)
        return false;
    remove(begin, range.end, gone);
    m_ranges.emplace(begin, range);
    return true;
}

void MappedRanges::remove(std::uint64_t begin, std::uint64_t end, const Gone &gone)
{
    auto it = m_ranges.upper_bound(begin);
    if (it != m_ranges.begin() && std::prev(it)->second.end > begin)
        --it;
    while (it != m_ranges.end() && it->first < end) {
        const std::uint64_t first = it->first;
        const Range range = it->second;
        const bool leavesBefore = first < begin;
        // One more piece than there is room for is given up: nobody can make the table grow by unmapping every other page.
        const bool isFull = leavesBefore && m_ranges.size() >= kMostRanges;
        const bool leavesAfter = range.end > end && !isFull;
        const std::uint64_t goneEnd = isFull ? range.end : std::min(end, range.end);
        gone(range, goneEnd - std::max(begin, first), (leavesBefore ? 1 : 0) + (leavesAfter ? 1 : 0));
        if (leavesBefore)
            it->second.end = begin;
        it = leavesBefore ? std::next(it) : m_ranges.erase(it);
        if (leavesAfter)
            it = std::next(m_ranges.emplace(end, range).first);
    }
}

const MappedRanges::Range *MappedRanges::find(std::uint64_t address) const
{
    auto it = m_ranges.upper_bound(address);
    if (it == m_ranges.begin())
        return nullptr;
    --it;
    return address < it->second.end ? &it->second : nullptr;
}

} // namespace model
