// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/tick_index.h"

#include <algorithm>

namespace storage {

namespace {

/// Ids count without holes in a whole file of one level, so the first guess is nearly always right.
template <typename Iterator> std::optional<Iterator> findId(Iterator begin, Iterator end, std::int64_t id)
{
    if (begin == end)
        return std::nullopt;
    const std::int64_t guess = id - begin->id;
    if (guess >= 0 && guess < end - begin && (begin + guess)->id == id)
        return begin + guess;
    const auto found
        = std::lower_bound(begin, end, id, [](const TickRow &tick, std::int64_t wanted) { return tick.id < wanted; });
    return found == end || found->id != id ? std::nullopt : std::optional(found);
}

} // namespace

void TickIndex::add(const TickRow &tick)
{
    const std::size_t level = levelOf(tick.id);
    m_ticks.push_back(tick);
    for (std::size_t i = 0; i <= level; ++i)
        m_ends[i] = m_ticks.size();
    if (level == 0)
        m_lastTick = tick.id;
}

std::optional<std::size_t> TickIndex::find(std::int64_t id) const
{
    const std::size_t level = levelOf(id);
    if (id < 0 || level >= kLevelCount)
        return std::nullopt;
    const auto found = findId(m_ticks.begin() + static_cast<std::ptrdiff_t>(firstOfLevel(level)),
        m_ticks.begin() + static_cast<std::ptrdiff_t>(m_ends[level]), id);
    return found ? std::optional(static_cast<std::size_t>(*found - m_ticks.begin())) : std::nullopt;
}

const TickRow *TickIndex::findBucket(std::size_t level, std::int64_t id) const
{
    const auto found = findId(m_buckets[level].begin(), m_buckets[level].end(), id);
    return found ? &**found : nullptr;
}

std::pair<std::size_t, std::size_t> TickIndex::intersecting(model::TimeRange range) const
{
    const auto first = std::partition_point(
        m_ticks.begin(), m_ticks.end(), [range](const TickRow &tick) { return tick.span.end <= range.begin; });
    const auto last = std::partition_point(
        first, m_ticks.end(), [range](const TickRow &tick) { return tick.span.begin < range.end; });
    return {static_cast<std::size_t>(first - m_ticks.begin()), static_cast<std::size_t>(last - m_ticks.begin())};
}

bool TickIndex::begins(std::size_t level, std::size_t position) const
{
    return position == 0
        || bucketId(level, m_ticks[position - 1].span.begin) != bucketId(level, m_ticks[position].span.begin);
}

std::size_t TickIndex::endOf(std::size_t level, std::int64_t id) const
{
    const auto end = std::partition_point(m_ticks.begin(), m_ticks.end(),
        [level, id](const TickRow &tick) { return bucketId(level, tick.span.begin) <= id; });
    return static_cast<std::size_t>(end - m_ticks.begin());
}

std::vector<TickRange> TickIndex::cover(std::size_t first, std::size_t last) const
{
    std::vector<TickRange> ranges;
    for (std::size_t position = first; position < last;) {
        TickRange next{m_ticks[position].id, m_ticks[position].id};
        std::size_t end = position + 1;
        for (std::size_t level = kLevelCount - 1; level > levelOf(next.first); --level) {
            const std::int64_t id = bucketId(level, m_ticks[position].span.begin);
            if (!begins(level, position) || !findBucket(level, id))
                continue;
            const std::size_t endOfBucket = endOf(level, id);
            if (endOfBucket > last)
                continue;
            next = {id, id};
            end = endOfBucket;
            break;
        }
        const bool goesOn
            = !ranges.empty() && levelOf(ranges.back().last) == levelOf(next.first) && next.first > ranges.back().last;
        goesOn ? void(ranges.back().last = next.last) : ranges.push_back(next);
        position = end;
    }
    return ranges;
}

std::size_t TickIndex::nearestBoundary(std::size_t level, std::size_t position, std::size_t least) const
{
    if (level == 0 || position >= m_ticks.size())
        return position;
    const std::int64_t id = bucketId(level, m_ticks[position].span.begin);
    const std::size_t before = endOf(level, id - 1), after = endOf(level, id);
    const std::int64_t when = m_ticks[position].span.begin.ns;
    const bool isAfterNearer
        = after < m_ticks.size() && m_ticks[after].span.begin.ns - when < when - m_ticks[before].span.begin.ns;
    const std::size_t nearest = isAfterNearer ? after : before;
    return nearest < least ? position : nearest;
}

} // namespace storage
