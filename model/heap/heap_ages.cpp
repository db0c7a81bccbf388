// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/heap_ages.h"

#include "model/base/wrapping_sum.h"

#include <algorithm>

namespace model {

void cutToPossible(AgeBucket &bucket)
{
    const auto cut
        = [](std::int64_t &value, std::int64_t least, std::int64_t most) { value = std::clamp(value, least, most); };
    cut(bucket.born, 0, kMostBlocksOfBucket);
    cut(bucket.alive, 0, bucket.born);
    cut(bucket.died, 0, kMostBlocksOfBucket);
    cut(bucket.liveBlocks, -kMostLive, kMostLive);
    cut(bucket.liveBytes, -kMostLive, kMostLive);
}

void doubleBucket(StackAges &ages)
{
    const std::vector<AgeBucket> old = std::move(ages.buckets);
    const std::uint32_t oldFirst = ages.firstBucket;
    ages.firstBucket = oldFirst / 2;
    ages.bucket.ns *= 2;
    const std::size_t end = (oldFirst + old.size() + 1) / 2;
    ages.buckets.assign(end - ages.firstBucket, {});
    for (std::size_t i = 0; i < old.size(); ++i) {
        AgeBucket &bucket = ages.buckets[(oldFirst + i) / 2 - ages.firstBucket];
        addWrapping(bucket.born, old[i].born);
        addWrapping(bucket.alive, old[i].alive);
        bucket.liveBlocks = old[i].liveBlocks; // of the later of the two
        bucket.liveBytes = old[i].liveBytes;
        const std::size_t older = std::min(i / 2 + i % 2, ages.buckets.size() - 1);
        addWrapping(ages.buckets[older].died, old[i].died / 2);
        addWrapping(ages.buckets[std::min(i / 2, ages.buckets.size() - 1)].died, old[i].died - old[i].died / 2);
    }
}

bool bringUpTo(StackAges &ages, const AgeClock &clock)
{
    if (ages.bucket.ns <= 0)
        return false;
    while (ages.bucket < clock.bucket)
        doubleBucket(ages);
    const std::size_t end = ages.firstBucket + ages.buckets.size();
    if (ages.bucket != clock.bucket || clock.buckets > kMostAgeBuckets || end > clock.buckets)
        return false;
    AgeBucket still;
    if (!ages.buckets.empty()) {
        still.liveBlocks = ages.buckets.back().liveBlocks;
        still.liveBytes = ages.buckets.back().liveBytes;
    }
    ages.buckets.resize(clock.buckets - ages.firstBucket, still);
    return true;
}

void addPart(StackAges &ages, const StackAges &part)
{
    const std::uint32_t first = std::min(ages.firstBucket, part.firstBucket);
    ages.buckets.insert(ages.buckets.begin(), ages.firstBucket - first, {});
    // Ages count from 0 wherever the history begins.
    for (std::size_t age = 0; age + (ages.firstBucket - first) < ages.buckets.size(); ++age)
        ages.buckets[age].died = ages.buckets[age + (ages.firstBucket - first)].died;
    for (std::size_t age = ages.buckets.size() - (ages.firstBucket - first); age < ages.buckets.size(); ++age)
        ages.buckets[age].died = 0;
    ages.firstBucket = first;
    const std::size_t offset = part.firstBucket - first;
    for (std::size_t i = 0; i < part.buckets.size() && i + offset < ages.buckets.size(); ++i) {
        AgeBucket &bucket = ages.buckets[i + offset];
        addWrapping(bucket.born, part.buckets[i].born);
        addWrapping(bucket.alive, part.buckets[i].alive);
        addWrapping(bucket.liveBlocks, part.buckets[i].liveBlocks);
        addWrapping(bucket.liveBytes, part.buckets[i].liveBytes);
        addWrapping(ages.buckets[i].died, part.buckets[i].died);
    }
    for (AgeBucket &bucket : ages.buckets)
        cutToPossible(bucket);
    for (const LiveExample &example : part.examples)
        if (ages.examples.size() < kMostLiveExamples)
            ages.examples.push_back(example);
}

} // namespace model
