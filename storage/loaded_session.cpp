// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/loaded_session.h"

#include <limits>

namespace storage {

std::int64_t saturatedSum(std::int64_t a, std::int64_t b)
{
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    return sum;
}

std::int64_t saturatedDifference(std::int64_t a, std::int64_t b)
{
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference))
        return b < 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    return difference;
}

void HeapSums::add(const HeapSums &other)
{
    allocations = saturatedSum(allocations, other.allocations);
    allocatedBytes = saturatedSum(allocatedBytes, other.allocatedBytes);
    frees = saturatedSum(frees, other.frees);
    freedBytes = saturatedSum(freedBytes, other.freedBytes);
    temporaries = saturatedSum(temporaries, other.temporaries);
    temporaryBytes = saturatedSum(temporaryBytes, other.temporaryBytes);
}

void HeapSums::subtract(const HeapSums &other)
{
    allocations = saturatedDifference(allocations, other.allocations);
    allocatedBytes = saturatedDifference(allocatedBytes, other.allocatedBytes);
    frees = saturatedDifference(frees, other.frees);
    freedBytes = saturatedDifference(freedBytes, other.freedBytes);
    temporaries = saturatedDifference(temporaries, other.temporaries);
    temporaryBytes = saturatedDifference(temporaryBytes, other.temporaryBytes);
}

std::int64_t HeapSums::liveBytes() const { return saturatedDifference(allocatedBytes, freedBytes); }

std::int64_t HeapSums::liveBlocks() const { return saturatedDifference(allocations, frees); }

bool HeapSums::isZero() const
{
    return allocations == 0 && allocatedBytes == 0 && frees == 0 && freedBytes == 0 && temporaries == 0
        && temporaryBytes == 0;
}

void CpuSums::add(const CpuSums &other)
{
    samples = saturatedSum(samples, other.samples);
    timeNs = saturatedSum(timeNs, other.timeNs);
}

void CpuSums::subtract(const CpuSums &other)
{
    samples = saturatedDifference(samples, other.samples);
    timeNs = saturatedDifference(timeNs, other.timeNs);
}

void ActivitySums::add(const ActivitySums &other)
{
    count = saturatedSum(count, other.count);
    timeNs = saturatedSum(timeNs, other.timeNs);
    errors = saturatedSum(errors, other.errors);
    bytes = saturatedSum(bytes, other.bytes);
    ownStacks = saturatedSum(ownStacks, other.ownStacks);
    estimated = saturatedSum(estimated, other.estimated);
}

void ActivitySums::subtract(const ActivitySums &other)
{
    count = saturatedDifference(count, other.count);
    timeNs = saturatedDifference(timeNs, other.timeNs);
    errors = saturatedDifference(errors, other.errors);
    bytes = saturatedDifference(bytes, other.bytes);
    ownStacks = saturatedDifference(ownStacks, other.ownStacks);
    estimated = saturatedDifference(estimated, other.estimated);
}

std::size_t KeyHash::operator()(const HeapKey &key) const noexcept
{
    std::uint64_t h = ((std::uint64_t{key.image} << 32) | key.stack) * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 29);
}

std::size_t KeyHash::operator()(const CpuKey &key) const noexcept
{
    return (*this)(HeapKey{key.thread * 0x85ebca6bu ^ key.image, key.stack});
}

std::size_t KeyHash::operator()(const ActivityKey &key) const noexcept
{
    return (*this)(CpuKey{key.thread * 0xc2b2ae35u ^ key.activity, key.image, key.stack});
}

} // namespace storage
