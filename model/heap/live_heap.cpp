// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_heap.h"

#include <bit>
#include <utility>

namespace model {

namespace {

constexpr unsigned kFirstBits = 10;
constexpr unsigned kLowBits = 40;
constexpr std::uint64_t kLowMask = (std::uint64_t{1} << kLowBits) - 1;
constexpr unsigned kBirthBits = 48;
constexpr std::uint64_t kBirthMask = (std::uint64_t{1} << kBirthBits) - 1;
constexpr unsigned kPeriodShift = 60;
constexpr std::uint64_t kHighSizeMask = (std::uint64_t{1} << (kPeriodShift - kBirthBits)) - 1;
static_assert(kMostLiveBytes == std::uint64_t{1} << (kLowBits + kPeriodShift - kBirthBits));

} // namespace

LiveHeap::LiveHeap()
    : m_entries(std::size_t{1} << kFirstBits)
    , m_shift(64 - kFirstBits)
{
}

LiveHeap::Entry LiveHeap::pack(std::uint64_t pointer, const LiveBlock &block)
{
    return {pointer, (block.size & kLowMask) | (std::uint64_t{block.node} << kLowBits),
        (static_cast<std::uint64_t>(block.birthUs) & kBirthMask)
            | (((block.size >> kLowBits) & kHighSizeMask) << kBirthBits)
            | (std::uint64_t{block.period} << kPeriodShift)};
}

LiveBlock LiveHeap::unpack(const Entry &entry)
{
    return {(entry.sizeAndNode & kLowMask) | (((entry.birthAndSize >> kBirthBits) & kHighSizeMask) << kLowBits),
        static_cast<std::uint32_t>(entry.sizeAndNode >> kLowBits),
        static_cast<std::int64_t>(entry.birthAndSize & kBirthMask),
        static_cast<std::uint8_t>(entry.birthAndSize >> kPeriodShift)};
}

std::size_t LiveHeap::find(std::uint64_t pointer) const
{
    const std::size_t mask = m_entries.size() - 1;
    std::size_t slot = slotOf(pointer);
    while (m_entries[slot].pointer != 0 && m_entries[slot].pointer != pointer)
        slot = (slot + 1) & mask;
    return slot;
}

bool LiveHeap::insert(std::uint64_t pointer, const LiveBlock &block)
{
    std::size_t slot = find(pointer);
    if (m_entries[slot].pointer != 0)
        return false;
    if ((m_count + 1) * 4 > m_entries.size() * 3) {
        grow();
        slot = find(pointer);
    }
    m_entries[slot] = pack(pointer, block);
    ++m_count;
    return true;
}

std::optional<LiveBlock> LiveHeap::take(std::uint64_t pointer)
{
    std::size_t hole = find(pointer);
    if (m_entries[hole].pointer == 0)
        return std::nullopt;
    const LiveBlock block = unpack(m_entries[hole]);
    --m_count;
    // Moves back what the hole would cut off from its place, so no tombstones ever slow a search down.
    const std::size_t mask = m_entries.size() - 1;
    for (std::size_t next = (hole + 1) & mask; m_entries[next].pointer != 0; next = (next + 1) & mask) {
        const std::size_t home = slotOf(m_entries[next].pointer);
        if (((next - home) & mask) < ((next - hole) & mask))
            continue;
        m_entries[hole] = m_entries[next];
        hole = next;
    }
    m_entries[hole].pointer = 0;
    return block;
}

void LiveHeap::grow()
{
    std::vector<Entry> old(m_entries.size() * 2);
    std::swap(old, m_entries);
    --m_shift;
    for (const Entry &entry : old)
        if (entry.pointer != 0)
            m_entries[find(entry.pointer)] = entry;
}

} // namespace model
