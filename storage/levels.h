// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "storage/schema.h"

#include <array>
#include <cstddef>

namespace storage {

/// Levels of a session: 0 ticks as recorded, 1 buckets of 10 s, 2 of 1 min, 3 of 10 min, 4 of 1 h, 5 of 4 h. A bucket of level n consists of
/// whole buckets of level n − 1, and takes its ticks by the moment at which they began.
inline constexpr std::size_t kLevelCount = 6;

/// The version of the format from which on there are levels.
inline constexpr std::int64_t kFirstFormatWithLevels = 3;

/// Totals stand after buckets of this level, and medians of minutes outlast their costs until it expires.
inline constexpr std::size_t kTotalLevel = 3;

/// Length of a level's buckets in nanoseconds; 0: as recorded.
inline constexpr std::array<std::int64_t, kLevelCount> kBucketNs
    = {0, 10'000'000'000, 60'000'000'000, 600'000'000'000, 3'600'000'000'000, 14'400'000'000'000};

/// The id of the bucket of `level` (1 to 5) that takes what begins at `begin`.
constexpr std::int64_t bucketId(std::size_t level, model::Timestamp begin)
{
    return static_cast<std::int64_t>(level) * kTicksPerLevel + begin.ns / kBucketNs[level] + 1;
}

/// The level that a tick's id belongs to; none of [0, kLevelCount) where the id is damaged.
constexpr std::size_t levelOf(std::int64_t id) { return static_cast<std::size_t>(id >> 40); }
static_assert(kTicksPerLevel == std::int64_t{1} << 40);

/// The ids [first, last] of the buckets of level − 1 (from 1) that bucket `id` of `level` (from 2) consists of.
struct BucketIds
{
    std::int64_t first = 0;
    std::int64_t last = 0;
};
constexpr BucketIds childrenOf(std::size_t level, std::int64_t id)
{
    const std::int64_t ratio = kBucketNs[level] / kBucketNs[level - 1];
    const std::int64_t index = id - static_cast<std::int64_t>(level) * kTicksPerLevel - 1;
    const std::int64_t first = static_cast<std::int64_t>(level - 1) * kTicksPerLevel + index * ratio + 1;
    return {first, first + ratio - 1};
}

/// The ids of the buckets of a lower level (from 1) that bucket `id` of `level` consists of.
constexpr BucketIds partsOf(std::size_t level, std::int64_t id, std::size_t lower)
{
    BucketIds parts{id, id};
    for (; level > lower; --level)
        parts = {childrenOf(level, parts.first).first, childrenOf(level, parts.last).last};
    return parts;
}

} // namespace storage
