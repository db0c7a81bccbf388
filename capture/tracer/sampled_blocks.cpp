// SPDX-License-Identifier: MIT
#include "capture/tracer/sampled_blocks.h"

#include "capture/tracer/raw_syscall.h"

#include <sys/mman.h>

namespace capture::tracer {

namespace {

/// Buckets by period: 32,768 blocks at 256 KiB and more (8 GiB live), up to 524,288 at the shortest ones.
std::uint64_t bucketsFor(std::uint64_t periodBytes)
{
    constexpr std::uint64_t kKiB = 1024;
    if (periodBytes >= 256 * kKiB)
        return 1U << 12;
    return periodBytes >= 32 * kKiB ? 1U << 14 : 1U << 16;
}

} // namespace

bool SampledBlocks::reset(std::uint64_t periodBytes)
{
    const std::uint64_t buckets = bucketsFor(periodBytes);
    const std::size_t bytes = (std::size_t{1} << kCounterBits) + buckets * kBucketSize * sizeof(void *);
    if (m_counters != nullptr && m_bucketMask == buckets - 1) {
        rawSyscall(SYS_madvise, asLong(m_counters), static_cast<long>(bytes), MADV_DONTNEED);
        return true;
    }
    auto *memory = static_cast<unsigned char *>(mapPrivate(bytes));
    if (memory == nullptr)
        return false;
    m_counters = reinterpret_cast<std::atomic<std::uint8_t> *>(memory);
    m_entries = reinterpret_cast<std::atomic<const void *> *>(memory + (std::size_t{1} << kCounterBits));
    m_bucketMask = buckets - 1;
    return true;
}

bool SampledBlocks::add(const void *pointer)
{
    const std::uint64_t hash = hashOf(pointer);
    for (std::uint32_t step = 0; step < kReach; ++step) {
        std::atomic<const void *> *bucket = bucketOf(hash, step);
        for (std::uint32_t i = 0; i < kBucketSize; ++i) {
            const void *empty = nullptr;
            if (bucket[i].load(std::memory_order_relaxed) != nullptr
                || !bucket[i].compare_exchange_strong(empty, pointer, std::memory_order_acq_rel))
                continue;
            std::atomic<std::uint8_t> &counter = m_counters[hash >> (64 - kCounterBits)];
            std::uint8_t count = counter.load(std::memory_order_relaxed);
            while (count != kStuck
                && !counter.compare_exchange_weak(
                    count, static_cast<std::uint8_t>(count + 1), std::memory_order_relaxed)) { }
            return true;
        }
    }
    return false;
}

bool SampledBlocks::removeFromBucket(const void *pointer, std::uint64_t hash)
{
    for (std::uint32_t step = 0; step < kReach; ++step) {
        std::atomic<const void *> *bucket = bucketOf(hash, step);
        for (std::uint32_t i = 0; i < kBucketSize; ++i) {
            if (bucket[i].load(std::memory_order_relaxed) != pointer)
                continue;
            bucket[i].store(nullptr, std::memory_order_release);
            std::atomic<std::uint8_t> &counter = m_counters[hash >> (64 - kCounterBits)];
            std::uint8_t count = counter.load(std::memory_order_relaxed);
            while (count != kStuck
                && !counter.compare_exchange_weak(
                    count, static_cast<std::uint8_t>(count - 1), std::memory_order_relaxed)) { }
            return true;
        }
    }
    return false;
}

} // namespace capture::tracer
