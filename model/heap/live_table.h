// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/block_table.h"
#include "model/heap/live_heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace model {

/// The live blocks of a heap, made for one of which every event is told: what is usual there takes 16 bytes, four to a cache line. Samples, blocks
/// of 1 MiB and more, at odd addresses, or born after more than 12 days stand in a LiveHeap beside it; while there are any, each insert looks in
/// both, and prefetch() asks for the first alone. One owning thread.
class LiveTable
{
public:
    std::size_t size() const { return m_blocks.size() + m_others.size(); }

    /// Asks for the memory that a coming insert(), find() or take() of `pointer` will touch.
    void prefetch(std::uint64_t pointer) const { m_blocks.prefetch(pointer); }

    bool contains(std::uint64_t pointer) const
    {
        return (Entry::canHold(pointer) && m_blocks.find(pointer) != nullptr)
            || (m_others.size() != 0 && m_others.contains(pointer));
    }

    /// Adds a block; false if there is one at `pointer` already, which then stays. `pointer` must not be 0.
    bool insert(std::uint64_t pointer, const LiveBlock &block)
    {
        if (!Entry::canHold(pointer, block) || m_others.size() != 0) [[unlikely]]
            return insertWithOthers(pointer, block);
        return m_blocks.insert(pointer, Entry(pointer, block));
    }

    /// Removes and returns the block at `pointer`, if there is one.
    std::optional<LiveBlock> take(std::uint64_t pointer)
    {
        Entry taken;
        if (Entry::canHold(pointer) && m_blocks.take(pointer, taken)) [[likely]]
            return taken.block();
        return m_others.size() != 0 ? m_others.take(pointer) : std::nullopt;
    }

    /// The block at `pointer`, if there is one.
    std::optional<LiveBlock> at(std::uint64_t pointer) const;

    /// Calls `visit(pointer, block)` for each block, in no order.
    template <typename Visit> void forEach(Visit visit) const
    {
        m_blocks.forEach([&](const Entry &entry) { visit(entry.pointer(), entry.block()); });
        m_others.forEach(visit);
    }
    /// The same for the next `count` places of the tables, in a circle: a look at all of them in many small steps. `place` goes on.
    template <typename Visit> void forSome(std::size_t &place, std::size_t count, Visit visit) const
    {
        for (std::size_t left = std::min(count, places()); left > 0; --left, ++place) {
            place = place < places() ? place : 0;
            if (std::size_t other = place - m_blocks.places(); place >= m_blocks.places())
                m_others.forSome(other, 1, visit);
            else if (const Entry &entry = m_blocks.at(place); !entry.isEmpty())
                visit(entry.pointer(), entry.block());
        }
    }
    std::size_t places() const { return m_blocks.places() + m_others.places(); }

private:
    /// What most blocks fit into. first: node bits 0–19, pointer / 16 above. second: size bits 0–19, node bits 20–23, birth above.
    class Entry
    {
    public:
        Entry() = default;
        Entry(std::uint64_t pointer, const LiveBlock &block)
            : m_first(pointer << kPointerShift | (block.node & kLowNode))
            , m_second(static_cast<std::uint64_t>(block.birthUs) << kBirthShift
                  | std::uint64_t{block.node >> kLowNodeBits} << kSizeBits | block.size)
        {
        }
        static bool canHold(std::uint64_t pointer) { return (pointer & ~kPointerMask) == 0; }
        static bool canHold(std::uint64_t pointer, const LiveBlock &block)
        {
            return ((pointer & ~kPointerMask) | block.size >> kSizeBits | block.period
                       | static_cast<std::uint64_t>(block.birthUs) >> kBirthBits)
                == 0;
        }
        bool isEmpty() const { return m_first == 0; }
        bool isOf(std::uint64_t pointer) const { return (m_first ^ pointer << kPointerShift) <= kLowNode; }
        std::uint64_t pointer() const { return m_first >> kPointerShift & kPointerMask; }
        LiveBlock block() const
        {
            const auto highNode = static_cast<std::uint32_t>(m_second >> kSizeBits) & 15;
            return {m_second & ((1u << kSizeBits) - 1),
                static_cast<std::uint32_t>(m_first & kLowNode) | highNode << kLowNodeBits,
                static_cast<std::int64_t>(m_second >> kBirthShift), 0};
        }

    private:
        static constexpr unsigned kPointerShift = 16, kLowNodeBits = 20, kSizeBits = 20, kBirthShift = 24;
        static constexpr unsigned kBirthBits = 64 - kBirthShift;
        static constexpr std::uint64_t kLowNode = (1u << kLowNodeBits) - 1;
        static constexpr std::uint64_t kPointerMask = 0x0000'ffff'ffff'fff0;

        std::uint64_t m_first = 0;
        std::uint64_t m_second = 0;
    };
    static_assert(sizeof(Entry) == 16);

    bool insertWithOthers(std::uint64_t pointer, const LiveBlock &block);

    BlockTable<Entry> m_blocks;
    LiveHeap m_others;
};

} // namespace model
