// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// The live blocks that were sampled: a free asks here whether it has to be told. Any thread, no lock; exact.
///
/// Almost every free is of another block, so the first look is at a small array of counters that stays in the cache: 0 there says no. The
/// set itself is buckets of one cache line. A pointer is added before the program gets it and removed before the allocator does, so
/// nobody asks for one that is being added.
class SampledBlocks
{
public:
    /// Forgets everything; room for more blocks the smaller `periodBytes`. False without memory.
    bool reset(std::uint64_t periodBytes);

    /// False if there is no room: then the block must not be sampled.
    bool add(const void *pointer);

    /// Whether `pointer` was in the set; removes it.
    bool remove(const void *pointer)
    {
        const std::uint64_t hash = hashOf(pointer);
        if (m_counters[hash >> (64 - kCounterBits)].load(std::memory_order_relaxed) == 0) [[likely]]
            return false;
        return removeFromBucket(pointer, hash);
    }

private:
    static constexpr unsigned kCounterBits = 14;
    static constexpr std::uint32_t kBucketSize = 8;
    /// Buckets that are looked at for one pointer.
    static constexpr std::uint32_t kReach = 4;
    static constexpr std::uint8_t kStuck = 255; ///< a counter that came this far counts no more

    static std::uint64_t hashOf(const void *pointer)
    {
        return reinterpret_cast<std::uint64_t>(pointer) * 0x9e3779b97f4a7c15;
    }
    bool removeFromBucket(const void *pointer, std::uint64_t hash);
    std::atomic<const void *> *bucketOf(std::uint64_t hash, std::uint32_t step) const
    {
        const std::uint64_t bucket = (hash >> (64 - kCounterBits - 12)) + step;
        return m_entries + (bucket & m_bucketMask) * kBucketSize;
    }

    std::atomic<std::uint8_t> *m_counters = nullptr;
    std::atomic<const void *> *m_entries = nullptr;
    std::uint64_t m_bucketMask = 0;
};

} // namespace capture::tracer
