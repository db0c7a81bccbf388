// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace storage {

/// Gives each key a dense slot, in order of first sight. Beside the keys themselves it keeps four bytes for each place of a table that is at
/// most half full: millions of keys are usual where many short programs ran, and a node of its own for each would cost several times
/// that. Rows come mostly in the order of the ones before them, so the slot behind the last one is tried first.
template <typename Key, typename Hash> class KeySlots
{
public:
    std::size_t slotOf(const Key &key)
    {
        if (const std::size_t next = m_last + 1; next < m_keys.size() && m_keys[next] == key)
            return m_last = next;
        if (2 * (m_keys.size() + 1) > m_places.size())
            grow();
        std::uint32_t &place = m_places[placeOf(key)];
        if (place == kNone) {
            place = static_cast<std::uint32_t>(m_keys.size());
            m_keys.push_back(key);
        }
        return m_last = place;
    }

    /// The slot of a key that was seen.
    std::optional<std::size_t> find(const Key &key) const
    {
        if (m_places.empty())
            return std::nullopt;
        const std::uint32_t slot = m_places[placeOf(key)];
        return slot == kNone ? std::nullopt : std::optional<std::size_t>(slot);
    }

    /// By slot.
    const std::vector<Key> &keys() const { return m_keys; }

private:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    static constexpr std::size_t kFewestPlaces = 16;

    /// Where `key` stands, or the free place for it.
    std::size_t placeOf(const Key &key) const
    {
        const std::size_t mask = m_places.size() - 1; // a power of two
        std::size_t place = Hash{}(key) >> (64 - std::countr_zero(m_places.size()));
        while (m_places[place] != kNone && !(m_keys[m_places[place]] == key))
            place = (place + 1) & mask;
        return place;
    }

    void grow()
    {
        const std::size_t places = m_places.empty() ? kFewestPlaces : 2 * m_places.size();
        m_places = {}; // not two tables at once
        m_places.assign(places, kNone);
        for (std::size_t slot = 0; slot < m_keys.size(); ++slot)
            m_places[placeOf(m_keys[slot])] = static_cast<std::uint32_t>(slot);
    }

    std::vector<Key> m_keys;
    std::vector<std::uint32_t> m_places;
    std::size_t m_last = 0; ///< the slot that was asked for last
};

} // namespace storage
