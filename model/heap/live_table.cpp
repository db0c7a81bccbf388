// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_table.h"

namespace model {

bool LiveTable::insert(std::uint64_t pointer, const LiveBlock &block)
{
    if (block.period == 0 && LiveEntry::canHold(pointer, block.size, block.birthUs))
        return m_blocks.insert(pointer, LiveEntry(pointer, block.size, block.node, block.birthUs));
    const bool isOdd = !LiveEntry::canHold(pointer);
    if (!isOdd && !m_blocks.insert(pointer, LiveEntry(pointer)))
        return false;
    const bool isNew = m_others.insert(pointer, block);
    m_odd += isOdd && isNew ? 1 : 0;
    return isNew;
}

std::optional<LiveBlock> LiveTable::take(std::uint64_t pointer)
{
    const bool isOdd = !LiveEntry::canHold(pointer);
    LiveEntry taken;
    if (!isOdd && !m_blocks.take<true>(pointer, taken))
        return std::nullopt;
    if (!isOdd && !taken.isOther())
        return blockOf(taken);
    const std::optional<LiveBlock> block = m_others.take(pointer);
    m_odd -= isOdd && block ? 1 : 0;
    return block;
}

std::optional<LiveBlock> LiveTable::at(std::uint64_t pointer) const
{
    if (!LiveEntry::canHold(pointer))
        return m_others.at(pointer);
    const LiveEntry entry = m_blocks.find(pointer);
    if (entry.first == 0)
        return std::nullopt;
    return entry.isOther() ? m_others.at(pointer) : std::optional(blockOf(entry));
}

} // namespace model
