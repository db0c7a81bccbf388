// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"
#include "storage/levels.h"

#include <optional>
#include <utility>
#include <vector>

namespace storage {

/// A tick, or a bucket of a level above, as it stands in the file.
struct TickRow
{
    std::int64_t id = 0;
    model::TimeRange span;
};

/// Rows [first, last] of the tables that are kept by tick.
struct TickRange
{
    std::int64_t first = 0;
    std::int64_t last = 0;
};

/// The finest buckets that there are, which cover the recording once, ascending in time: the coarsest first, then finer ones, and
/// ticks. A position in this list is how all else of a reader refers to time. Beside it the buckets that lie over them.
class TickIndex
{
public:
    /// Appends to the list; levels come in descending order.
    void add(const TickRow &tick);
    /// Adds a bucket of `level` (from 1), ascending; buckets of the list are to be added here too.
    void addBucket(std::size_t level, const TickRow &bucket) { m_buckets[level].push_back(bucket); }

    std::size_t size() const { return m_ticks.size(); }
    bool isEmpty() const { return m_ticks.empty(); }
    const TickRow &at(std::size_t index) const { return m_ticks.at(index); }
    /// Of the newest tick, and of the newest bucket of a level; 0 without any.
    std::int64_t lastId() const { return m_lastTick; }
    std::int64_t lastBucket(std::size_t level) const
    {
        return m_buckets[level].empty() ? 0 : m_buckets[level].back().id;
    }

    /// Position of the tick or bucket with this id.
    std::optional<std::size_t> find(std::int64_t id) const;

    /// Position of the first entry of a level (the end of the list without any).
    std::size_t firstOfLevel(std::size_t level) const { return level + 1 < kLevelCount ? m_ends[level + 1] : 0; }

    /// The bucket of `level` with this id, in the list or not.
    const TickRow *findBucket(std::size_t level, std::int64_t id) const;

    /// Positions [first, last) of the ticks that intersect `range`.
    std::pair<std::size_t, std::size_t> intersecting(model::TimeRange range) const;

    /// The fewest buckets and ticks that cover the positions [first, last), as ranges of ids that each stay within one level.
    std::vector<TickRange> cover(std::size_t first, std::size_t last) const;

    /// The first position behind what belongs to bucket `id` of `level`.
    std::size_t endOf(std::size_t level, std::int64_t id) const;

    /// The position nearest to `position` (not below `least`) at which a bucket of `level` begins; `position` where there is none.
    std::size_t nearestBoundary(std::size_t level, std::size_t position, std::size_t least) const;

private:
    bool begins(std::size_t level, std::size_t position) const;

    std::vector<TickRow> m_ticks;
    std::array<std::size_t, kLevelCount>
        m_ends{}; ///< positions of level n end here; those of n + 1 end where they begin
    std::array<std::vector<TickRow>, kLevelCount> m_buckets;
    std::int64_t m_lastTick = 0;
};

} // namespace storage
