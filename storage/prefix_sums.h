// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/key_slots.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace storage {

/// Sums of deltas per key over the ticks [0, n) for any n: from the nearest sum that is known, and the rows between. Known are totals that
/// stand in the file, the last few results, and, where rows were given to add(), a bounded number of sums in between. So a window of time
/// costs two short fetches, however long the recording. Keys get dense slots in order of first sight. Sums that are known are shared, not
/// copied: of many processes they take more memory than all else.
template <typename Key, typename Sums, typename Hash> class PrefixSums
{
public:
    using Values = std::vector<Sums>;             ///< by slot; keys that are first seen later have none
    using Shared = std::shared_ptr<const Values>; ///< null: no sums at all

    /// A sum over the ticks [0, `tick`) that can be had from the file under a number.
    struct Stored
    {
        std::size_t tick = 0;
        std::int64_t id = 0;
    };

    /// Adds a row of the tick at position `tick`; ticks come in ascending order. For files without stored sums.
    void add(std::size_t tick, const Key &key, const Sums &sums)
    {
        if (m_rowsSinceCheckpoint >= m_rowsPerCheckpoint && tick > m_lastTick)
            checkpoint(tick);
        m_lastTick = tick;
        ++m_rowsSinceCheckpoint;
        const std::size_t slot = m_slots.slotOf(key);
        if (slot >= m_total.size())
            m_total.resize(slot + 1);
        m_total[slot].add(sums);
        m_hasTotal = true;
    }

    /// Sums over the ticks [0, end). `source.fetch(first, last, row)` calls `row(key, sums)` for each row of the ticks [first, last),
    /// `source.total(id, row)` for each of a stored sum; both return whether they succeeded; on failure the result is empty.
    /// `source.stored` lists the stored sums, ascending; `source.distance(a, b)` is how much lies between two positions, and
    /// `source.tickCount` how many there are.
    template <typename Source> bool until(std::size_t end, const Source &source, Shared &result)
    {
        const Base base = nearest(end, source);
        if (base.shared && base.tick == end) {
            result = base.shared;
            return true;
        }
        auto values = std::make_shared<Values>();
        if (base.values) {
            values->reserve(keys().size());
            *values = *base.values;
        }
        bool isForward = true;
        const auto row = [&](const Key &key, const Sums &sums) {
            const std::size_t slot = m_slots.slotOf(key);
            if (slot >= values->size())
                values->resize(slot + 1);
            isForward ? (*values)[slot].add(sums) : (*values)[slot].subtract(sums);
        };
        if (base.storedId && !source.total(*base.storedId, row))
            return false;
        isForward = base.tick < end;
        if (base.tick != end && !source.fetch(std::min(base.tick, end), std::max(base.tick, end), row))
            return false;
        result = std::move(values);
        m_recent[m_nextRecent] = {end, result};
        m_nextRecent = (m_nextRecent + 1) % m_recent.size();
        return true;
    }

    const std::vector<Key> &keys() const { return m_slots.keys(); }
    /// Of a key that was seen.
    std::optional<std::size_t> findSlot(const Key &key) const { return m_slots.find(key); }

private:
    static constexpr std::size_t kMostCheckpoints = 128;

    struct Checkpoint
    {
        std::size_t tick = 0;
        Values values;
    };
    struct Base
    {
        std::size_t tick = 0;
        const Values *values = nullptr;         ///< none: zero, or what is stored
        std::optional<std::int64_t> storedId{}; ///< of the stored sum to begin with
        Shared shared{};                        ///< `values`, where a result can be just that
    };
    struct Recent
    {
        std::size_t tick = 0;
        Shared values;
    };

    void checkpoint(std::size_t tick)
    {
        m_checkpoints.push_back({tick, m_total});
        m_rowsSinceCheckpoint = 0;
        if (m_checkpoints.size() < kMostCheckpoints)
            return;
        // Half as many, twice as far apart: memory stays bounded however long the recording.
        for (std::size_t i = 0; 2 * i + 1 < m_checkpoints.size(); ++i)
            m_checkpoints[i] = std::move(m_checkpoints[2 * i + 1]);
        m_checkpoints.resize(m_checkpoints.size() / 2);
        m_rowsPerCheckpoint *= 2;
    }

    template <typename Source> Base nearest(std::size_t end, const Source &source) const
    {
        Base best{};
        auto least = source.distance(0, end);
        const auto consider = [&](Base base) {
            if (const auto distance = source.distance(std::min(base.tick, end), std::max(base.tick, end));
                distance < least) {
                least = distance;
                best = base;
            }
        };
        for (const Checkpoint &checkpoint : m_checkpoints)
            consider({checkpoint.tick, &checkpoint.values});
        for (const Recent &recent : m_recent)
            consider({recent.tick, recent.values.get(), std::nullopt, recent.values});
        if (m_hasTotal)
            consider({source.tickCount, &m_total});
        const auto next = std::partition_point(
            source.stored.begin(), source.stored.end(), [end](const auto &stored) { return stored.tick <= end; });
        if (next != source.stored.end())
            consider({next->tick, nullptr, next->id});
        if (next != source.stored.begin())
            consider({std::prev(next)->tick, nullptr, std::prev(next)->id});
        return best;
    }

    KeySlots<Key, Hash> m_slots;
    Values m_total;
    bool m_hasTotal = false;
    std::vector<Checkpoint> m_checkpoints;
    std::array<Recent, 3> m_recent; ///< the last results
    std::size_t m_nextRecent = 0;
    std::size_t m_lastTick = 0;
    std::size_t m_rowsSinceCheckpoint = 0;
    std::size_t m_rowsPerCheckpoint = 4096;
};

} // namespace storage
