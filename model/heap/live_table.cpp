// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_table.h"

namespace model {

bool LiveTable::insertWithOthers(std::uint64_t pointer, const LiveBlock &block)
{
    if (m_others.size() != 0 && m_others.contains(pointer))
        return false;
    if (Entry::canHold(pointer, block))
        return m_blocks.insert(pointer, Entry(pointer, block));
    const bool isThere = Entry::canHold(pointer) && m_blocks.find(pointer) != nullptr;
    return !isThere && m_others.insert(pointer, block);
}

std::optional<LiveBlock> LiveTable::at(std::uint64_t pointer) const
{
    if (Entry::canHold(pointer))
        if (const Entry *entry = m_blocks.find(pointer))
            return entry->block();
    return m_others.size() != 0 ? m_others.at(pointer) : std::nullopt;
}

} // namespace model
