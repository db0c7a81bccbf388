// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/heap_ages.h"
#include "model/heap/heap_counts.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace model {

/// Keeps, for the stacks that can come under suspicion of leaking, how their blocks are born, age and die (StackAges). Costs an event
/// nothing but a comparison, unless a block dies that was born in an earlier bucket: all else follows from the counts of ticks.
///
/// A stack is followed once it has made, in kLeastCohorts different buckets, allocations at whose bucket's end it held something: a leak is only ever
/// claimed of stacks of which that holds. Compilers with their hundred thousands of stacks that allocate once stay outside. At most
/// kMostFollowed are followed (5.8 KB each at 144 buckets); what found no room is counted.
///
/// Accounts are numbered densely by the owner. One owning thread. Times are microseconds of the recording.
class AgeBook
{
public:
    static constexpr std::uint8_t kLeastCohorts = 3;
    static constexpr std::size_t kMostFollowed = 8192;

    /// `bucket`: how long a bucket is at first.
    explicit AgeBook(Duration bucket)
        : m_widthUs(std::max<std::int64_t>(bucket.ns / 1000, 1))
    {
    }

    /// Whether a block was born in a bucket that is over.
    bool isOld(std::int64_t birthUs) const { return birthUs < m_beginUs; }
    /// The birth to note for a block that is told of now: one that is told of late belongs to the bucket in which it is told of.
    std::int64_t bornAt(std::int64_t timeUs)
    {
        m_lastUs = std::max({timeUs, m_beginUs, m_lastUs});
        return std::max(timeUs, m_beginUs);
    }

    /// A block of `account` for which isOld() holds was freed.
    void diedOld(std::uint32_t account, std::int64_t birthUs);

    /// What happened to `account` since the last call, with `died` whatever their age: blocks, or samples where bytes are sampled.
    void addTick(std::uint32_t account, std::int64_t born, std::int64_t died);

    /// A block of `account` that is live and for which isOld() holds; some are kept as examples.
    void offerExample(std::uint32_t account, std::uint64_t pointer, std::int64_t size, std::int64_t birthUs);

    /// Blocks are counted in another way from now on (see AgeClock::periodBytes): the histories begin anew with the next bucket, and blocks from
    /// before it are in none of them.
    void restart();

    /// Ends the buckets that are over at `nowUs`; addTick() was called for all accounts before. `levelOf(account)` is asked what it holds.
    /// Returns whether one ended.
    template <typename LevelOf> bool endTick(std::int64_t nowUs, LevelOf levelOf)
    {
        if (m_begins.empty())
            begin(nowUs);
        bool hasEnded = false;
        while (nowUs >= m_originUs + m_widthUs * static_cast<std::int64_t>(m_begins.size())) {
            for (const std::uint32_t account : m_inBucket)
                noteCohort(account, levelOf(account).blocks);
            m_inBucket.clear();
            for (Record &record : m_records)
                endBucket(record, levelOf(record.account));
            beginBucket(nowUs);
            hasEnded = true;
        }
        return hasEnded;
    }

    /// The histories that changed since the last call, by account, as of the last bucket's end; to be called when one ended.
    /// `isLive(pointer, birthUs)`: whether that block is live still.
    template <typename IsLive> std::vector<std::pair<std::uint32_t, StackAges>> takeChanged(IsLive isLive)
    {
        std::vector<std::pair<std::uint32_t, StackAges>> changed;
        for (Record &record : m_records) {
            if (!std::exchange(record.isChanged, false))
                continue;
            changed.emplace_back(record.account, record.ages);
            StackAges &taken = changed.back().second;
            taken.buckets.pop_back(); // the one that has just begun
            taken.bucket = {m_widthUs * 1000};
            for (const Example &example : record.examples)
                if (example.pointer != 0 && isLive(example.pointer, example.birthUs))
                    taken.examples.push_back({example.size, {example.birthUs * 1000}});
        }
        return changed;
    }

    /// Without image and period.
    AgeClock clock() const;

private:
    /// What is known of an account outside of its record.
    struct Slot
    {
        std::uint32_t record = 0; ///< index + 1; 0: not followed
        std::uint8_t cohorts = 0;
        bool isInBucket = false; ///< of those not followed: it allocated in this bucket
    };
    struct Example
    {
        std::uint64_t pointer = 0;
        std::int64_t size = 0;
        std::int64_t birthUs = 0;
    };
    struct Record
    {
        std::uint32_t account = 0;
        bool isChanged = false;
        StackAges ages;        ///< with the bucket that goes on
        std::int64_t born = 0; ///< in the bucket that goes on
        std::int64_t died = 0;
        std::int64_t oldDied = 0;
        std::array<Example, kMostLiveExamples> examples;
    };

    Slot &slotOf(std::uint32_t account);
    void begin(std::int64_t nowUs);
    std::size_t bucketOf(std::int64_t birthUs) const;
    void noteCohort(std::uint32_t account, std::int64_t liveBlocks);
    void endBucket(Record &record, const HeapLevel &level);
    void beginBucket(std::int64_t nowUs);
    void mergePairs();
    void forgetDormant();

    std::int64_t m_widthUs;
    std::int64_t m_originUs = 0;
    std::int64_t m_beginUs = 0;         ///< of the bucket that goes on
    std::int64_t m_lastUs = 0;          ///< the latest birth so far
    std::vector<std::int64_t> m_begins; ///< of the buckets: the first tick at or after each one's due time
    std::vector<Slot> m_slots;
    std::vector<std::uint32_t> m_inBucket;
    std::vector<Record> m_records;
    std::int64_t m_tooMany = 0;
};

} // namespace model
