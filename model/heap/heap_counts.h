// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace model {

/// Bytes and blocks of a heap, or of one stack's part of it.
struct HeapLevel
{
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;

    friend constexpr bool operator==(HeapLevel, HeapLevel) = default;
};

/// Allocations and frees of some span. A value, so sums and differences are free.
struct HeapCounts
{
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0;
    std::int64_t temporaryBytes = 0;

    HeapCounts &operator+=(const HeapCounts &other);
    friend bool operator==(const HeapCounts &, const HeapCounts &) = default;
};

/// Where bytes are sampled: how many samples the counts of a span rest on, and how far they may be off. Variances add up.
struct HeapSampling
{
    std::int64_t samples = 0;      ///< allocations that were recorded
    double allocationVariance = 0; ///< of HeapCounts::allocations
    double allocatedVariance = 0;  ///< of HeapCounts::allocatedBytes; bytes²
    double freeVariance = 0; ///< what the freed blocks had added; live = allocated − freed holds for variances too
    double freedVariance = 0;
    std::int64_t periodBytes
        = 0; ///< the longest sampling period of what the counts rest on; 0: every event. Sums keep the longest

    HeapSampling &operator+=(const HeapSampling &other);
    HeapSampling &operator-=(const HeapSampling &other);
};

inline constexpr std::size_t kLifetimeBinCount = 48;
/// The bin of a block's lifetime: bin b holds [2^b, 2^(b+1)) µs, bin 0 also everything shorter.
constexpr std::uint16_t lifetimeBin(std::int64_t lifetimeUs)
{
    const auto bin = 63 ^ std::countl_zero(static_cast<std::uint64_t>(std::max<std::int64_t>(lifetimeUs, 0)) | 1);
    return static_cast<std::uint16_t>(std::min(bin, static_cast<int>(kLifetimeBinCount - 1)));
}

/// Count and bytes of one histogram bin.
struct HeapBin
{
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

} // namespace model
