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
/// set itself is buckets of one cache line. A target adds a block that it samples before the program gets it and takes it out before the
/// allocator gets it back, so such an entry is never older than its block. The recorder's entries can be: a block may have been freed before
/// the recorder, which had not read of that yet, entered it. So the two are told apart, a target takes its own entry first, and the
/// recorder takes out none but its own.
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

    bool isThere() const { return m_entries != nullptr; }

    /// Target: false if there is no room, then the block cannot be followed.
    bool add(std::uint64_t pointer) const { return (pointer & kKept) == 0 && addEntry(pointer, pointer); }
    /// Recorder: the same for a block that it keeps. Target: puts such an entry back.
    bool addKept(std::uint64_t pointer) const { return (pointer & kKept) == 0 && addEntry(pointer, pointer | kKept); }

    /// Which of the counters, at MemoryView::sampledBlocks(), tells of `pointer`: where it is 0 there is no entry.
    static std::uint64_t counterIndex(std::uint64_t pointer) { return hashOf(pointer) >> (64 - kSampledCounterBits); }

    /// Target: false if there is no entry of `pointer`. Only where there is a set.
    bool mayHold(std::uint64_t pointer) const
    {
        return m_counters[counterIndex(pointer)].load(std::memory_order_relaxed) != 0;
    }

    /// Target: takes one entry of `pointer` out, that of a sampled block if there is one. Returns which: kFreedFollowed, kFreedKept or 0.
    std::uint32_t remove(std::uint64_t pointer) const
    {
        if (!mayHold(pointer)) [[likely]]
            return 0;
        return removeAny(pointer);
    }

    /// Recorder: takes an entry of its own out, unless the target has; returns whether it did.
    bool removeKept(std::uint64_t pointer) const { return removeEntry(pointer, pointer | kKept); }

private:
    /// Marks the recorder's entries: blocks lie at even addresses.
    static constexpr std::uint64_t kKept = 1;
    /// Buckets that are looked at for one pointer.
    static constexpr std::uint32_t kReach = 4;
    static constexpr std::uint8_t kStuck = 255; ///< a counter that came this far counts no more

    static std::uint64_t hashOf(std::uint64_t pointer) { return pointer * 0x9e3779b97f4a7c15; }

    std::atomic<std::uint8_t> &counterOf(std::uint64_t hash) const
    {
        return m_counters[hash >> (64 - kSampledCounterBits)];
    }

    std::atomic<std::uint64_t> *bucketOf(std::uint64_t hash, std::uint32_t step) const
    {
        const std::uint64_t bucket = (hash >> (64 - kSampledCounterBits - 12)) + step;
        return m_entries + (bucket & m_bucketMask) * kBucketSize;
    }

    void count(std::uint64_t hash, int change) const
    {
        std::atomic<std::uint8_t> &counter = counterOf(hash);
        std::uint8_t value = counter.load(std::memory_order_relaxed);
        while (value != kStuck
            && !counter.compare_exchange_weak(
                value, static_cast<std::uint8_t>(value + change), std::memory_order_relaxed)) { }
    }

    bool addEntry(std::uint64_t pointer, std::uint64_t entry) const
    {
        const std::uint64_t hash = hashOf(pointer);
        count(hash, 1); // first: a counter is never below the entries that it stands for
        if (exchange(hash, 0, entry))
            return true;
        count(hash, -1);
        return false;
    }

    bool removeEntry(std::uint64_t pointer, std::uint64_t entry) const
    {
        const std::uint64_t hash = hashOf(pointer);
        if (!exchange(hash, entry, 0))
            return false;
        count(hash, -1);
        return true;
    }

    /// Puts `to` in the place of one `from`; false if there is none. There may be more than one, and others may do the same: each gets another.
    bool exchange(std::uint64_t hash, std::uint64_t from, std::uint64_t to) const
    {
        for (std::uint32_t step = 0; step < kReach; ++step) {
            std::atomic<std::uint64_t> *bucket = bucketOf(hash, step);
            for (std::uint32_t i = 0; i < kBucketSize; ++i) {
                std::uint64_t found = from;
                if (bucket[i].load(std::memory_order_relaxed) == from
                    && bucket[i].compare_exchange_strong(found, to, std::memory_order_acq_rel))
                    return true;
            }
        }
        return false;
    }

    [[gnu::noinline]] std::uint32_t removeAny(std::uint64_t pointer) const
    {
        if (removeEntry(pointer, pointer))
            return kFreedFollowed;
        return removeEntry(pointer, pointer | kKept) ? kFreedKept : 0;
    }

    std::atomic<std::uint8_t> *m_counters = nullptr;
    std::atomic<std::uint64_t> *m_entries = nullptr;
    std::uint64_t m_bucketMask = 0;
};

} // namespace capture::wire
