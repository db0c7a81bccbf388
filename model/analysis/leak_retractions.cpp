// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_retractions.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

/// Blocks of the buckets that end by `end` that are alive. A bucket that was merged since counts where its middle is.
std::int64_t aliveBefore(const StackAges &ages, Timestamp origin, Timestamp end)
{
    std::int64_t alive = 0;
    Timestamp middle = origin + Duration{ages.bucket.ns * std::int64_t{ages.firstBucket} + ages.bucket.ns / 2};
    for (const AgeBucket &bucket : ages.buckets) {
        alive += middle < end ? bucket.alive : 0;
        middle = middle + ages.bucket;
    }
    return alive;
}

} // namespace

void LeakRetractions::update(const LeakReport &report, const Snapshot &snapshot)
{
    if (m_file != snapshot.file) {
        *this = {};
        m_file = snapshot.file;
    }
    if (!snapshot.heapAges)
        return;
    std::map<std::uint32_t, Timestamp> origins;
    for (const AgeClock &clock : snapshot.heapAges->clocks)
        origins[clock.image.value] = clock.origin;
    for (const LeakItem &item : report.items)
        for (const LeakStack &stack : item.stacks) {
            if (item.tier == LeakTier::Idle || m_accused.contains({item.image.value, stack.stack.value}))
                continue;
            const auto old = static_cast<std::int64_t>(stack.test.buckets - stack.test.matureAge);
            const Timestamp end = stack.followedFrom + Duration{stack.ages->bucket.ns * old};
            m_accused[{item.image.value, stack.stack.value}]
                = {item.place, end, aliveBefore(*stack.ages, origins[item.image.value], end)};
        }
    for (const StackAges &ages : snapshot.heapAges->stacks) {
        const auto found = m_accused.find({ages.image.value, ages.stack.value});
        if (found == m_accused.end() || found->second.isWithdrawn)
            continue;
        Accusation &accusation = found->second;
        // A history that began anew, as the heap was recorded in another way, says nothing of older blocks.
        const Timestamp begin = origins[ages.image.value] + Duration{ages.bucket.ns * std::int64_t{ages.firstBucket}};
        if (begin >= accusation.oldEnd)
            continue;
        const std::int64_t alive = aliveBefore(ages, origins[ages.image.value], accusation.oldEnd);
        if (alive * 2 >= accusation.alive)
            continue;
        accusation.isWithdrawn = true;
        m_withdrawn.push_back({ages.image, ages.stack, accusation.place, accusation.alive, alive});
    }
}

std::string LeakRetractions::sentence() const
{
    if (m_withdrawn.empty())
        return {};
    constexpr std::size_t kMostNames = 3;
    std::string names;
    for (std::size_t i = 0; i < std::min(m_withdrawn.size(), kMostNames); ++i)
        names += (names.empty() ? "" : ", ") + m_withdrawn[i].place;
    return fmt::format("{} of {} {} accused since this window was opened freed those blocks later: {}{}.",
        m_withdrawn.size(), accused(), accused() == 1 ? "stack" : "stacks", names,
        m_withdrawn.size() > kMostNames ? ", …" : "");
}

} // namespace model
