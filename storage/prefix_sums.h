// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace storage {

/// Sums of deltas per key over the ticks [0, n) for any n, from the total and a bounded number of intermediate sums; what lies between is
/// fetched again. So a window of time costs two short fetches, however long the recording. Keys get dense slots in order of first sight.
template <typename Key, typename Sums, typename Hash> class PrefixSums
{
public:
    using Values = std::vector<Sums>; ///< by slot; keys that are first seen later have none

    /// Adds a row of the tick at position `tick`; ticks come in ascending order.
    void add(std::size_t tick, const Key &key, const Sums &sums)
    {
        if (m_rowsSinceCheckpoint >= m_rowsPerCheckpoint && tick > m_lastTick)
            checkpoint(tick);
        m_lastTick = tick;
        ++m_rowsSinceCheckpoint;
        const auto [it, isNew] = m_slots.try_emplace(key, m_keys.size());
        if (isNew) {
            m_keys.push_back(key);
            m_total.emplace_back();
        }
        m_total[it->second].add(sums);
    }

    /// Sums over the ticks [0, end) of `tickCount`. `fetch(first, last, row)` calls `row(key, sums)` for each row of the ticks [first, last)
    /// and returns whether it succeeded; on failure the result is empty.
    template <typename Fetch> bool until(std::size_t end, std::size_t tickCount, const Fetch &fetch, Values &result)
    {
        const Base base = nearest(end, tickCount);
        Values values = *base.values;
        values.resize(m_keys.size());
        const bool isForward = base.tick < end;
        const auto row = [&](const Key &key, const Sums &sums) {
            const auto found = m_slots.find(key);
            if (found == m_slots.end())
                return;
            isForward ? values[found->second].add(sums) : values[found->second].subtract(sums);
        };
        if (base.tick != end && !fetch(std::min(base.tick, end), std::max(base.tick, end), row))
            return false;
        m_recent = {end, values};
        result = std::move(values);
        return true;
    }

    const Values &total() const { return m_total; }
    const std::vector<Key> &keys() const { return m_keys; }

private:
    static constexpr std::size_t kMostCheckpoints = 128;

    struct Checkpoint
    {
        std::size_t tick = 0;
        Values values;
    };
    struct Base
    {
        std::size_t tick;
        const Values *values;
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

    Base nearest(std::size_t end, std::size_t tickCount) const
    {
        Base best{0, &m_nothing};
        const auto distance = [end](std::size_t tick) { return tick < end ? end - tick : tick - end; };
        const auto consider = [&](std::size_t tick, const Values &values) {
            if (distance(tick) < distance(best.tick))
                best = {tick, &values};
        };
        for (const Checkpoint &checkpoint : m_checkpoints)
            consider(checkpoint.tick, checkpoint.values);
        consider(m_recent.tick, m_recent.values);
        consider(tickCount, m_total);
        return best;
    }

    std::unordered_map<Key, std::size_t, Hash> m_slots;
    std::vector<Key> m_keys;
    Values m_total;
    Values m_nothing;
    std::vector<Checkpoint> m_checkpoints;
    Checkpoint m_recent; ///< the last result
    std::size_t m_lastTick = 0;
    std::size_t m_rowsSinceCheckpoint = 0;
    std::size_t m_rowsPerCheckpoint = 4096;
};

} // namespace storage
