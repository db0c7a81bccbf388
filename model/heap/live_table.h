// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/block_table.h"
#include "model/heap/live_heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace model {

/// A live block in 16 bytes, four to a cache line, as most blocks fit into them; of others it says that there is more to know.
class LiveEntry
{
public:
    LiveEntry() = default;
    /// Of a block that it can hold.
    LiveEntry(std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::int64_t birthUs)
        : m_first(pointer << kPointerShift | (node & kLowNode))
        , m_second(static_cast<std::uint64_t>(birthUs) << kBirthShift | std::uint64_t{node >> kLowNodeBits} << kSizeBits
              | size)
    {
    }
    /// Of a block that it cannot hold, at an address that it can.
    explicit LiveEntry(std::uint64_t pointer)
        : LiveEntry(pointer, kOther, 0, 0)
    {
    }

    static bool canHold(std::uint64_t pointer) { return (pointer & ~kPointerMask) == 0; }
    static bool canHold(std::uint64_t pointer, std::uint64_t size, std::int64_t birthUs)
    {
        return ((pointer & ~kPointerMask) | (size + 1) >> kSizeBits
                   | static_cast<std::uint64_t>(birthUs) >> (64 - kBirthShift))
            == 0;
    }
    static std::uint64_t hashOf(std::uint64_t pointer) { return (pointer >> 4) * 0x9e3779b97f4a7c15ull; }

    std::uint64_t hash() const { return (m_first >> kLowNodeBits) * 0x9e3779b97f4a7c15ull; }
    bool isEmpty() const { return m_first == 0; }
    bool isOf(std::uint64_t pointer) const { return (m_first ^ pointer << kPointerShift) <= kLowNode; }
    std::uint64_t pointer() const { return m_first >> kPointerShift & kPointerMask; }

    /// The block is one that it cannot hold.
    bool isOther() const { return size() == kOther; }
    std::uint64_t size() const { return m_second & kOther; }
    std::uint32_t node() const
    {
        return static_cast<std::uint32_t>(m_first & kLowNode)
            | (static_cast<std::uint32_t>(m_second >> kSizeBits) & 15) << kLowNodeBits;
    }
    std::int64_t birthUs() const { return static_cast<std::int64_t>(m_second >> kBirthShift); }
    LiveBlock block() const { return {size(), node(), birthUs(), 0}; }

private:
    static constexpr unsigned kPointerShift = 16, kLowNodeBits = 20, kSizeBits = 20, kBirthShift = 24;
    static constexpr std::uint64_t kLowNode = (1u << kLowNodeBits) - 1;
    static constexpr std::uint64_t kPointerMask = 0x0000'ffff'ffff'fff0;
    static constexpr std::uint64_t kOther = (1u << kSizeBits) - 1; ///< in place of the size

    std::uint64_t m_first = 0;  ///< node bits 0–19, pointer / 16 above; 0: empty
    std::uint64_t m_second = 0; ///< size bits 0–19, node bits 20–23, birth above
};
static_assert(sizeof(LiveEntry) == 16);

/// The live blocks of a heap, made for one of which every event is told. What a LiveEntry cannot hold stands in a LiveHeap beside it: samples,
/// blocks of 1 MiB and more, or born after more than 12 days, which have an entry too, and blocks at odd addresses, which have none.
/// One owning thread.
class LiveTable
{
public:
    std::size_t size() const { return m_blocks.size() + m_odd; }

    /// Asks for the memory that a coming insert(), at() or take() of `pointer` will touch.
    void prefetch(std::uint64_t pointer) const { m_blocks.prefetch(pointer); }

    bool contains(std::uint64_t pointer) const
    {
        return LiveEntry::canHold(pointer) ? m_blocks.find(pointer) != nullptr : m_others.contains(pointer);
    }

    /// Adds a block; false if there is one at `pointer` already, which then stays. `pointer` must not be 0.
    bool insert(std::uint64_t pointer, const LiveBlock &block)
    {
        if (block.period != 0 || !LiveEntry::canHold(pointer, block.size, block.birthUs)) [[unlikely]]
            return insertOther(pointer, block);
        return m_blocks.insert(pointer, {pointer, block.size, block.node, block.birthUs});
    }

    /// Removes and returns the block at `pointer`, if there is one.
    std::optional<LiveBlock> take(std::uint64_t pointer);

    /// The same of a block that has an entry of its own; false, and nothing is done, if there is none or it is another.
    bool takeUsual(std::uint64_t pointer, LiveEntry &taken)
    {
        return LiveEntry::canHold(pointer)
            && m_blocks.takeIf(pointer, taken, [](const LiveEntry &entry) { return !entry.isOther(); });
    }

    /// The block at `pointer`, if there is one.
    std::optional<LiveBlock> at(std::uint64_t pointer) const;

    /// Calls `visit(pointer, block)` for each block, in no order.
    template <typename Visit> void forEach(Visit visit) const
    {
        m_blocks.forEach([&](const LiveEntry &entry) {
            if (!entry.isOther())
                visit(entry.pointer(), entry.block());
        });
        m_others.forEach(visit);
    }
    /// The same for the next `count` places of the tables, in a circle: a look at all of them in many small steps. `place` goes on.
    template <typename Visit> void forSome(std::size_t &place, std::size_t count, Visit visit) const
    {
        for (std::size_t left = std::min(count, places()); left > 0; --left, ++place) {
            place = place < places() ? place : 0;
            if (place >= m_blocks.places())
                m_others.visitAt(place - m_blocks.places(), visit);
            else if (const LiveEntry &entry = m_blocks.at(place); !entry.isEmpty() && !entry.isOther())
                visit(entry.pointer(), entry.block());
        }
    }
    std::size_t places() const { return m_blocks.places() + m_others.places(); }

private:
    bool insertOther(std::uint64_t pointer, const LiveBlock &block);

    BlockTable<LiveEntry> m_blocks;
    LiveHeap m_others;
    std::size_t m_odd = 0; ///< blocks at addresses that no entry can hold
};

} // namespace model
