// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace model {

/// A hash table by address: open addressing, so that an event touches one cache line and a prefetch can fetch it ahead.
/// `Entry` is a value with `isEmpty()` (so it is made), `isOf(pointer)` and `pointer()`. One owning thread.
template <typename Entry> class BlockTable
{
public:
    BlockTable()
        : m_entries(std::size_t{1} << kFirstBits)
        , m_mask(m_entries.size() - 1)
        , m_shift(64 - kFirstBits)
    {
    }

    std::size_t size() const { return m_count; }
    std::size_t places() const { return m_entries.size(); }
    /// The entry at a place, empty or not.
    const Entry &at(std::size_t place) const { return m_entries[place]; }

    /// Asks for the memory that a coming look for `pointer` will touch.
    void prefetch(std::uint64_t pointer) const { __builtin_prefetch(&m_entries[placeOf(pointer)], 1); }

    /// The entry of `pointer`; null if there is none.
    const Entry *find(std::uint64_t pointer) const
    {
        const Entry &entry = m_entries[search(pointer)];
        return entry.isEmpty() ? nullptr : &entry;
    }

    template <typename Visit> void forEach(Visit visit) const
    {
        for (const Entry &entry : m_entries)
            if (!entry.isEmpty())
                visit(entry);
    }

    /// Adds an entry; false if there is one of its pointer already, which then stays.
    bool insert(std::uint64_t pointer, const Entry &entry)
    {
        const std::size_t place = search(pointer);
        if (!m_entries[place].isEmpty())
            return false;
        m_entries[place] = entry;
        if (++m_count > m_mask / 4 * 3) [[unlikely]]
            grow();
        return true;
    }

    /// Removes the entry of `pointer` and copies it to `taken`; false if there is none.
    bool take(std::uint64_t pointer, Entry &taken)
    {
        std::size_t hole = search(pointer);
        // Copies, since what is written could be they for all that the compiler knows.
        Entry *const entries = m_entries.data();
        const std::size_t mask = m_mask;
        const unsigned shift = m_shift;
        if (entries[hole].isEmpty())
            return false;
        taken = entries[hole];
        --m_count;
        // Moves back what the hole would cut off from its place, so no tombstones ever slow a search down.
        for (std::size_t next = (hole + 1) & mask; !entries[next].isEmpty(); next = (next + 1) & mask) {
            const std::size_t home = hashOf(entries[next].pointer()) >> shift;
            if (((next - home) & mask) < ((next - hole) & mask))
                continue;
            entries[hole] = entries[next];
            hole = next;
        }
        entries[hole] = {};
        return true;
    }

private:
    static constexpr unsigned kFirstBits = 10;

    static std::size_t hashOf(std::uint64_t pointer) { return pointer * 0x9e3779b97f4a7c15ull; }
    std::size_t placeOf(std::uint64_t pointer) const { return hashOf(pointer) >> m_shift; }
    /// The place of `pointer`, or the empty one where it would go.
    std::size_t search(std::uint64_t pointer) const
    {
        const Entry *const entries = m_entries.data();
        const std::size_t mask = m_mask;
        std::size_t place = placeOf(pointer);
        while (!entries[place].isEmpty() && !entries[place].isOf(pointer))
            place = (place + 1) & mask;
        return place;
    }
    [[gnu::noinline]] void grow()
    {
        std::vector<Entry> old(m_entries.size() * 2);
        std::swap(old, m_entries);
        m_mask = m_entries.size() - 1;
        --m_shift;
        for (const Entry &entry : old)
            if (!entry.isEmpty())
                m_entries[search(entry.pointer())] = entry;
    }

    std::vector<Entry> m_entries;
    std::size_t m_mask; ///< of a place
    std::size_t m_count = 0;
    unsigned m_shift;
};

} // namespace model
