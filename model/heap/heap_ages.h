// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"
#include "model/base/units.h"

#include <cstdint>
#include <vector>

namespace model {

/// Most buckets that a history of ages has; then pairs are merged and half as many are left, so a long recording has 72 to 144.
inline constexpr std::uint32_t kMostAgeBuckets = 144;
/// How long the first buckets are, if nothing else is asked for.
inline constexpr Duration kFirstAgeBucket = Duration::fromMs(10'000);

/// One bucket of the history of a stack. `born`, `alive`, `liveBlocks`, `liveBytes` belong to a span of time; `died` to an age, counted in
/// buckets: what was born and died in the same bucket has age 0. Where bytes are sampled, `born`, `alive` and `died` count the samples
/// themselves, `liveBlocks` and `liveBytes` are estimates.
struct AgeBucket
{
    std::int64_t born = 0;
    std::int64_t alive = 0;      ///< of those, not freed yet
    std::int64_t died = 0;       ///< freed at this age
    std::int64_t liveBlocks = 0; ///< at the end of the bucket, whenever born
    std::int64_t liveBytes = 0;

    friend bool operator==(const AgeBucket &, const AgeBucket &) = default;
};

/// No bucket counts more blocks, and no stack holds more blocks or bytes: what a file or a target claims beyond that is cut, so that sums over
/// buckets do not overflow.
inline constexpr std::int64_t kMostBlocksOfBucket = std::int64_t{1} << 40;
inline constexpr std::int64_t kMostLive = std::int64_t{1} << 56;
/// Cuts the values of a bucket to what is possible, 0 to the greatest; live ones may be negative, since a hostile target can make them so.
void cutToPossible(AgeBucket &bucket);

/// A block that was live when the history was taken.
struct LiveExample
{
    std::int64_t size = 0; ///< bytes asked for
    Timestamp birth;

    friend bool operator==(const LiveExample &, const LiveExample &) = default;
};
inline constexpr std::size_t kMostLiveExamples = 4; ///< of one stack

/// How the blocks of one stack were born, aged and died.
struct StackAges
{
    ImageId image;
    StackId stack;
    std::uint32_t part = 0;        ///< a stack may have several; they add up
    std::uint32_t firstBucket = 0; ///< number of `buckets[0]`: what was born before is in liveBlocks and liveBytes only
    Duration bucket;               ///< length of a bucket
    std::vector<AgeBucket> buckets; ///< whole ones only; `died` of buckets[a] is of age a
    std::vector<LiveExample> examples;
};

/// The clock that the histories of an image share.
struct AgeClock
{
    ImageId image;
    Timestamp origin; ///< begin of bucket 0
    Duration bucket;
    std::uint32_t buckets = 0;    ///< whole ones by now
    std::int64_t followed = 0;    ///< stacks with a history
    std::int64_t tooMany = 0;     ///< stacks that were due for one and found no room
    std::int64_t periodBytes = 1; ///< 1: every block counts; else one of so many bytes is sampled
};

/// What a session says about ages, as of its last writing.
struct HeapAges
{
    std::vector<AgeClock> clocks; ///< ascending in image
    std::vector<StackAges>
        stacks; ///< ascending in (image, stack); parts added up, all of the length that their image's clock says
};

/// Merges pairs of buckets: the next length is twice this one. An age that is odd becomes either of two; half goes to each.
void doubleBucket(StackAges &ages);

/// Brings a history to the length and number of buckets of its clock: nothing happened to it since it was taken. False if the clock
/// cannot be that of this history.
bool bringUpTo(StackAges &ages, const AgeClock &clock);

/// Adds a part of the same stack, bucket by bucket; both must have been brought up to the same clock.
void addPart(StackAges &ages, const StackAges &part);

} // namespace model
