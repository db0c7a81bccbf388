// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/block_table.h"

#include <cstddef>
#include <cstdint>
#include <optional>

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

/// The blocks that are live, by address, whatever they are: 24 bytes an entry. One owning thread.
class LiveHeap
{
public:
    std::size_t size() const { return m_blocks.size(); }
    std::size_t places() const { return m_blocks.places(); }

    bool contains(std::uint64_t pointer) const { return m_blocks.find(pointer) != nullptr; }

    /// The block at `pointer`, if there is one.
    std::optional<LiveBlock> at(std::uint64_t pointer) const
    {
        const Entry *entry = m_blocks.find(pointer);
        return entry ? std::optional(entry->block()) : std::nullopt;
    }

    /// Adds a block; false if there is one at `pointer` already, which then stays. `pointer` must not be 0.
    bool insert(std::uint64_t pointer, const LiveBlock &block)
    {
        return m_blocks.insert(pointer, Entry(pointer, block));
    }

    /// Removes and returns the block at `pointer`, if there is one.
    std::optional<LiveBlock> take(std::uint64_t pointer)
    {
        Entry taken;
        return m_blocks.take(pointer, taken) ? std::optional(taken.block()) : std::nullopt;
    }

    /// Calls `visit(pointer, block)` for each block, in no order.
    template <typename Visit> void forEach(Visit visit) const
    {
        m_blocks.forEach([&](const Entry &entry) { visit(entry.pointer(), entry.block()); });
    }

    /// The same for the block at a place, below places(), if there is one.
    template <typename Visit> void visitAt(std::size_t place, Visit visit) const
    {
        if (const Entry &entry = m_blocks.at(place); !entry.isEmpty())
            visit(entry.pointer(), entry.block());
    }

private:
    class Entry
    {
    public:
        Entry() = default;
        Entry(std::uint64_t pointer, const LiveBlock &block)
            : m_pointer(pointer)
            , m_sizeAndNode((block.size & kLowMask) | (std::uint64_t{block.node} << kLowBits))
            , m_birthAndSize((static_cast<std::uint64_t>(block.birthUs) & kBirthMask)
                  | (((block.size >> kLowBits) & kHighSizeMask) << kBirthBits)
                  | (std::uint64_t{block.period} << kPeriodShift))
        {
        }
        static std::uint64_t hashOf(std::uint64_t pointer) { return pointer * 0x9e3779b97f4a7c15ull; }
        std::uint64_t hash() const { return hashOf(m_pointer); }
        bool isEmpty() const { return m_pointer == 0; }
        bool isOf(std::uint64_t pointer) const { return m_pointer == pointer; }
        std::uint64_t pointer() const { return m_pointer; }
        LiveBlock block() const
        {
            return {(m_sizeAndNode & kLowMask) | (((m_birthAndSize >> kBirthBits) & kHighSizeMask) << kLowBits),
                static_cast<std::uint32_t>(m_sizeAndNode >> kLowBits),
                static_cast<std::int64_t>(m_birthAndSize & kBirthMask),
                static_cast<std::uint8_t>(m_birthAndSize >> kPeriodShift)};
        }

    private:
        static constexpr unsigned kLowBits = 40, kBirthBits = 48, kPeriodShift = 60;
        static constexpr std::uint64_t kLowMask = (std::uint64_t{1} << kLowBits) - 1;
        static constexpr std::uint64_t kBirthMask = (std::uint64_t{1} << kBirthBits) - 1;
        static constexpr std::uint64_t kHighSizeMask = (std::uint64_t{1} << (kPeriodShift - kBirthBits)) - 1;
        static_assert(kMostLiveBytes == std::uint64_t{1} << (kLowBits + kPeriodShift - kBirthBits));

        std::uint64_t m_pointer = 0;      ///< 0: empty
        std::uint64_t m_sizeAndNode = 0;  ///< size bits 0–39, node above
        std::uint64_t m_birthAndSize = 0; ///< birth bits 0–47, size bits 40–51 above, then the period
    };
    static_assert(sizeof(Entry) == 24);

    BlockTable<Entry> m_blocks;
};

} // namespace model
