// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/live_heap.h"
#include "model/heap/live_lines.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>

namespace model {

/// The live blocks of a heap, made for one of which every event is told. What a LiveEntry cannot hold stands in a LiveHeap beside it: samples,
/// blocks of 1 MiB and more, or born after more than 12 days, which have an entry too, and blocks at odd addresses, which have none.
/// One owning thread.
class LiveTable
{
public:
    /// `memory` gives what most blocks stand in, of which each look touches another place; it outlives the table.
    explicit LiveTable(std::pmr::memory_resource *memory = std::pmr::get_default_resource())
        : m_blocks(memory)
    {
    }

    std::size_t size() const { return m_blocks.size() + m_odd; }

    /// Asks for the memory that a coming insert(), at() or take() will touch; until the next of them.
    using Prefetcher = LiveLines::Prefetcher;
    Prefetcher prefetcher() const { return m_blocks.prefetcher(); }

    bool contains(std::uint64_t pointer) const
    {
        return LiveEntry::canHold(pointer) ? m_blocks.find(pointer).first != 0 : m_others.contains(pointer);
    }

    /// Adds a block; false if there is one at `pointer` already, which then stays. `pointer` must not be 0.
    bool insert(std::uint64_t pointer, const LiveBlock &block);
    /// The same of a block that an entry can hold: the shortest way, inlined.
    [[gnu::always_inline]] bool insertUsual(std::uint64_t pointer, const LiveEntry &entry)
    {
        return m_blocks.insert(pointer, entry);
    }

    /// Removes and returns the block at `pointer`, if there is one.
    std::optional<LiveBlock> take(std::uint64_t pointer);

    /// The same of a block that its entry holds; false, and nothing is done, if there is none or it is another.
    [[gnu::always_inline]] bool takeUsual(std::uint64_t pointer, LiveEntry &taken)
    {
        return m_blocks.take<false>(pointer, taken); // at an odd address it finds none
    }

    /// The block at `pointer`, if there is one.
    std::optional<LiveBlock> at(std::uint64_t pointer) const;

    /// Calls `visit(pointer, block)` for each block, in no order.
    template <typename Visit> void forEach(Visit visit) const
    {
        for (std::size_t place = 0; place < m_blocks.places(); ++place)
            visitUsual(m_blocks.at(place), visit);
        m_others.forEach(visit);
    }
    /// The same for the next `count` places of the tables, in a circle: a look at all of them in many small steps. `place` goes on.
    template <typename Visit> void forSome(std::size_t &place, std::size_t count, Visit visit) const
    {
        for (std::size_t left = std::min(count, places()); left > 0; --left, ++place) {
            place = place < places() ? place : 0;
            if (place >= m_blocks.places())
                m_others.visitAt(place - m_blocks.places(), visit);
            else
                visitUsual(m_blocks.at(place), visit);
        }
    }
    std::size_t places() const { return m_blocks.places() + m_others.places(); }

private:
    static LiveBlock blockOf(const LiveEntry &entry) { return {entry.size(), entry.node(), entry.birthUs(), 0}; }
    template <typename Visit> static void visitUsual(const LiveEntry &entry, Visit visit)
    {
        if (entry.first != 0 && !entry.isOther())
            visit(entry.pointer(), blockOf(entry));
    }

    LiveLines m_blocks;
    LiveHeap m_others;
    std::size_t m_odd = 0; ///< blocks at addresses that no entry can hold
};

} // namespace model
