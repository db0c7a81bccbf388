// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_watch.h"

#include "model/analysis/leak_detector.h"

namespace model {

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

void LeakWatch::see(EventBatch &batch)
{
    for (const HeapTick &tick : batch.heapTicks)
        m_images[tick.image.value].liveBytes = tick.liveBytes;
    for (const AgeClock &clock : batch.ageClocks)
        m_images[clock.image.value].clock = clock;
    for (const StackAges &ages : batch.stackAges)
        judge(m_images[ages.image.value], ages, batch);
}

void LeakWatch::judge(const ImageState &image, const StackAges &ages, EventBatch &batch)
{
    const std::tuple key{ages.image.value, ages.stack.value, ages.part};
    if (const auto known = m_accused.find(key); known != m_accused.end())
        return follow(known->second, image, ages, batch);
    const LeakStack stack = judgedStack(ages, image.clock);
    if (!stack.test.leaks() || !isWorthTelling(stack, leakFloor(image.liveBytes)))
        return;
    const auto old = static_cast<std::int64_t>(stack.test.buckets - stack.test.matureAge);
    Accusation accusation{.claim = {.image = ages.image, .stack = ages.stack, .part = ages.part},
        .oldEnd = stack.followedFrom + Duration{ages.bucket.ns * old}};
    accusation.claim.accused = batch.span.end;
    accusation.claim.accusedOf = aliveBefore(ages, image.clock.origin, accusation.oldEnd);
    accusation.claim.alive = accusation.claim.accusedOf;
    batch.leakClaims.push_back(accusation.claim);
    m_accused.emplace(key, accusation);
}

void LeakWatch::follow(Accusation &accusation, const ImageState &image, const StackAges &ages, EventBatch &batch)
{
    LeakClaim &claim = accusation.claim;
    if (claim.withdrawn)
        return;
    // A history that began anew, as the heap was recorded in another way, says nothing of older blocks.
    if (image.clock.origin + Duration{ages.bucket.ns * std::int64_t{ages.firstBucket}} >= accusation.oldEnd)
        return;
    const std::int64_t alive = aliveBefore(ages, image.clock.origin, accusation.oldEnd);
    if (alive * 2 >= claim.accusedOf)
        return;
    claim.alive = alive;
    claim.withdrawn = batch.span.end;
    batch.leakClaims.push_back(claim);
}

} // namespace model
