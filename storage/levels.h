// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "storage/schema.h"

#include <array>
#include <cstddef>

namespace storage {

/// Levels of a session: 0 ticks as recorded, 1 buckets of 10 s, 2 of 1 min, 3 of 10 min. A bucket of level n consists of whole buckets of
/// level n − 1, and takes its ticks by the moment at which they began.
inline constexpr std::size_t kLevelCount = 4;

/// Length of a level's buckets in nanoseconds; 0: as recorded.
inline constexpr std::array<std::int64_t, kLevelCount> kBucketNs = {0, 10'000'000'000, 60'000'000'000, 600'000'000'000};

/// The id of the bucket of `level` (1 to 3) that takes what begins at `begin`.
constexpr std::int64_t bucketId(std::size_t level, model::Timestamp begin)
{
    return static_cast<std::int64_t>(level) * kTicksPerLevel + begin.ns / kBucketNs[level] + 1;
}

/// The level that a tick's id belongs to; none of [0, kLevelCount) where the id is damaged.
constexpr std::size_t levelOf(std::int64_t id) { return static_cast<std::size_t>(id >> 40); }
static_assert(kTicksPerLevel == std::int64_t{1} << 40);

/// The ids [first, last] of the buckets of level − 1 (1 or 2) that bucket `id` of `level` (2 or 3) consists of.
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

} // namespace storage
