// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <atomic>
#include <cstdint>

namespace capture::wire {

/// The live blocks whose free has to be told although others are not: those that were sampled, and those that the recorder kept when it
/// thinned what it knew. In the shared memory; any thread of the target, and the recorder; no lock; exact.
///
/// Almost every free is of another block, so the first look is at a small array of counters that stays in the cache: 0 there says no. The
/// set itself is buckets of one cache line. A pointer may be in it more than once: an allocation's entry may be added before that of the
/// block that had its address is taken out. A target adds a pointer before the program gets it and removes it before the allocator does, so
/// nobody asks for one that is being added.
class SampledBlocks
{
public:
    static constexpr std::uint32_t kBucketSize = kSampledBucketBytes / sizeof(std::uint64_t);

    SampledBlocks() = default;
    /// `buckets`: as Header::sampledBuckets; only that many are touched, whatever the memory says later.
    SampledBlocks(MemoryView memory, std::uint64_t buckets)
        : m_counters(reinterpret_cast<std::atomic<std::uint8_t> *>(memory.sampledBlocks()))
        , m_entries(
              reinterpret_cast<std::atomic<std::uint64_t> *>(memory.sampledBlocks() + (1u << kSampledCounterBits)))
        , m_bucketMask(buckets - 1)
    {
    }

    /// Blocks that it has room for, if they were spread evenly: up to half of that nearly all find a place.
    std::uint64_t capacity() const { return m_entries != nullptr ? (m_bucketMask + 1) * kBucketSize : 0; }

    /// False if there is no room: then the block cannot be followed.
    bool add(std::uint64_t pointer) const
    {
        const std::uint64_t hash = hashOf(pointer);
        count(hash, 1); // first: a counter is never below the entries that it stands for
        for (std::uint32_t step = 0; step < kReach; ++step) {
            std::atomic<std::uint64_t> *bucket = bucketOf(hash, step);
            for (std::uint32_t i = 0; i < kBucketSize; ++i) {
                std::uint64_t empty = 0;
                if (bucket[i].load(std::memory_order_relaxed) == 0
                    && bucket[i].compare_exchange_strong(empty, pointer, std::memory_order_acq_rel))
                    return true;
            }
        }
        count(hash, -1);
        return false;
    }

    /// Whether `pointer` was in the set; takes it out once.
    bool remove(std::uint64_t pointer) const
    {
        const std::uint64_t hash = hashOf(pointer);
        if (m_counters[hash >> (64 - kSampledCounterBits)].load(std::memory_order_relaxed) == 0) [[likely]]
            return false;
        return removeFromBucket(pointer, hash);
    }

private:
    /// Buckets that are looked at for one pointer.
    static constexpr std::uint32_t kReach = 4;
    static constexpr std::uint8_t kStuck = 255; ///< a counter that came this far counts no more

    static std::uint64_t hashOf(std::uint64_t pointer) { return pointer * 0x9e3779b97f4a7c15; }

    std::atomic<std::uint64_t> *bucketOf(std::uint64_t hash, std::uint32_t step) const
    {
        const std::uint64_t bucket = (hash >> (64 - kSampledCounterBits - 12)) + step;
        return m_entries + (bucket & m_bucketMask) * kBucketSize;
    }

    void count(std::uint64_t hash, int change) const
    {
        std::atomic<std::uint8_t> &counter = m_counters[hash >> (64 - kSampledCounterBits)];
        std::uint8_t value = counter.load(std::memory_order_relaxed);
        while (value != kStuck
            && !counter.compare_exchange_weak(
                value, static_cast<std::uint8_t>(value + change), std::memory_order_relaxed)) { }
    }

    [[gnu::noinline]] bool removeFromBucket(std::uint64_t pointer, std::uint64_t hash) const
    {
        for (std::uint32_t step = 0; step < kReach; ++step) {
            std::atomic<std::uint64_t> *bucket = bucketOf(hash, step);
            for (std::uint32_t i = 0; i < kBucketSize; ++i) {
                // Twice the same pointer may be in it, and two may take it out at the same time: each takes one.
                std::uint64_t found = pointer;
                if (bucket[i].load(std::memory_order_relaxed) != pointer
                    || !bucket[i].compare_exchange_strong(found, 0, std::memory_order_acq_rel))
                    continue;
                count(hash, -1);
                return true;
            }
        }
        return false;
    }

    std::atomic<std::uint8_t> *m_counters = nullptr;
    std::atomic<std::uint64_t> *m_entries = nullptr;
    std::uint64_t m_bucketMask = 0;
};

} // namespace capture::wire
