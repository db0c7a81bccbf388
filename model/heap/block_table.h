// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace model {

/// A hash table by address, with open addressing. What does not find its home free stands further on, past the last home in a tail, whose last place is always empty: no search ever goes round.
/// `Entry` is a value with `isEmpty()` (so it is made), `isOf(pointer)`, `pointer()`, `hash()` and a static `hashOf(pointer)`, whose
/// upper bits count. One owning thread.
template <typename Entry> class BlockTable
{
public:
    BlockTable()
        : m_entries((std::size_t{1} << kFirstBits) + kFirstTail)
        , m_shift(64 - kFirstBits)
    {
    }

    std::size_t size() const { return m_count; }
    std::size_t places() const { return m_entries.size(); }
    /// The entry at a place, empty or not.
    const Entry &at(std::size_t place) const { return m_entries[place]; }

    /// The entry of `pointer`; null if there is none.
    const Entry *find(std::uint64_t pointer) const
    {
        const Entry *entry = m_entries.data() + homeOf(pointer);
        for (; !entry->isEmpty(); ++entry)
            if (entry->isOf(pointer))
                return entry;
        return nullptr;
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
        Entry *place = m_entries.data() + homeOf(pointer);
        for (; !place->isEmpty(); ++place)
            if (place->isOf(pointer))
                return false;
        *place = entry;
        if (++m_count > m_most || place == &m_entries.back()) [[unlikely]]
            makeRoom();
        return true;
    }

    /// Removes the entry of `pointer` and copies it to `taken`; false if there is none.
    bool take(std::uint64_t pointer, Entry &taken)
    {
        Entry *const entries = m_entries.data();
        Entry *hole = entries + homeOf(pointer);
        for (;; ++hole) {
            if (hole->isEmpty())
                return false;
            if (hole->isOf(pointer))
                break;
        }
        taken = *hole;
        --m_count;
        // Moves back what the hole would cut off from its place, so no tombstones ever slow a search down.
        for (Entry *next = hole + 1; !next->isEmpty(); ++next) {
            if (entries + (next->hash() >> m_shift) > hole)
                continue;
            *hole = *next;
            hole = next;
        }
        *hole = {};
        return true;
    }

private:
    static constexpr unsigned kFirstBits = 10;
    static constexpr std::size_t kFirstTail = 64;

    std::size_t homes() const { return std::size_t{1} << (64 - m_shift); }
    std::size_t homeOf(std::uint64_t pointer) const { return Entry::hashOf(pointer) >> m_shift; }

    /// After an entry too many, or one in the last place.
    [[gnu::noinline]] void makeRoom()
    {
        if (m_count <= m_most) { // addresses that a hostile target has chosen
            m_entries.resize(m_entries.size() * 2 - homes());
            return;
        }
        const std::size_t tail = m_entries.size() - homes();
        --m_shift;
        m_most *= 2;
        std::vector<Entry> old(homes() + tail);
        std::swap(old, m_entries);
        for (const Entry &entry : old) {
            if (entry.isEmpty())
                continue;
            Entry *place = m_entries.data() + (entry.hash() >> m_shift);
            while (!place->isEmpty())
                ++place;
            *place = entry;
            if (place == &m_entries.back())
                m_entries.resize(m_entries.size() * 2 - homes());
        }
    }

    std::vector<Entry> m_entries;
    std::size_t m_count = 0;
    std::size_t m_most = (std::size_t{1} << kFirstBits) / 8 * 5; ///< of entries: more make searches long
    unsigned m_shift;
};

} // namespace model
