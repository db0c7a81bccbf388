// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace model {

/// A block of a heap that has been allocated and not freed.
struct LiveBlock
{
    std::uint64_t size = 0;   ///< bytes asked for; below kMostLiveBytes
    std::uint32_t node = 0;   ///< the stack that allocated it, in the recorder's numbering; below 2^24
    std::int64_t birthUs = 0; ///< when, in microseconds of the recording; below 2^48, which is 8.9 years
    /// Which sampling period it stands for, in the recorder's numbering; below kLivePeriods. 0: for itself alone.
    std::uint8_t period = 0;
};

inline constexpr std::size_t kLivePeriods = 16;
inline constexpr std::uint64_t kMostLiveBytes = std::uint64_t{1} << 52; ///< 4 PiB

/// The blocks that are live, by address: open addressing, 24 bytes an entry, so that an event touches one cache line and
/// a prefetch can fetch it ahead. One owning thread.
class LiveHeap
{
public:
    LiveHeap();

    std::size_t size() const { return m_count; }

    /// Asks for the memory that a coming insert(), find() or take() of `pointer` will touch.
    void prefetch(std::uint64_t pointer) const { __builtin_prefetch(&m_entries[slotOf(pointer)], 1); }

    bool contains(std::uint64_t pointer) const { return m_entries[find(pointer)].pointer != 0; }

    /// Adds a block; false if there is one at `pointer` already, which then stays. `pointer` must not be 0.
    bool insert(std::uint64_t pointer, const LiveBlock &block);

    /// Removes and returns the block at `pointer`, if there is one.
    std::optional<LiveBlock> take(std::uint64_t pointer);

    /// Calls `visit(pointer, block)` for each block, in no order.
    template <typename Visit> void forEach(Visit visit) const
    {
        for (const Entry &entry : m_entries)
            if (entry.pointer != 0)
                visit(entry.pointer, unpack(entry));
    }

    /// The block at `pointer`, if there is one.
    std::optional<LiveBlock> at(std::uint64_t pointer) const
    {
        const Entry &entry = m_entries[find(pointer)];
        return entry.pointer != 0 ? std::optional(unpack(entry)) : std::nullopt;
    }

    /// The same for the next `count` places of the table, in a circle: a look at all of it in many small steps. `place` goes on.
    template <typename Visit> void forSome(std::size_t &place, std::size_t count, Visit visit) const
    {
        for (std::size_t i = 0; i < count && i < m_entries.size(); ++i, ++place) {
            place = place < m_entries.size() ? place : 0;
            if (m_entries[place].pointer != 0)
                visit(m_entries[place].pointer, unpack(m_entries[place]));
        }
    }
    std::size_t places() const { return m_entries.size(); }

private:
    struct Entry
    {
        std::uint64_t pointer = 0;      ///< 0: empty
        std::uint64_t sizeAndNode = 0;  ///< size bits 0–39, node above
        std::uint64_t birthAndSize = 0; ///< birth bits 0–47, size bits 40–51 above, then the period
    };
    static_assert(sizeof(Entry) == 24);

    static Entry pack(std::uint64_t pointer, const LiveBlock &block);
    static LiveBlock unpack(const Entry &entry);
    std::size_t slotOf(std::uint64_t pointer) const
    {
        return static_cast<std::size_t>((pointer * 0x9e3779b97f4a7c15ull) >> m_shift);
    }
    /// The slot of `pointer`, or the empty one where it would go.
    std::size_t find(std::uint64_t pointer) const;
    void grow();

    std::vector<Entry> m_entries;
    std::size_t m_count = 0;
    unsigned m_shift = 0;
};

} // namespace model
