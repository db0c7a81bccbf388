// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstdint>

namespace model {

/// Size classes of the allocation heat map: two a power of two, so [16, 24) and [24, 32) are neighbours.
/// Bin 0: size 0 and 1; bins end at kSizeBinCount − 1, which holds everything larger too.
inline constexpr std::uint16_t kSizeBinCount = 80;

/// The bin of a requested size in bytes.
constexpr std::uint16_t sizeBin(std::uint64_t bytes)
{
    if (bytes < 2)
        return 0;
    const auto power = static_cast<unsigned>(std::bit_width(bytes) - 1);
    const unsigned upperHalf = static_cast<unsigned>((bytes >> (power - 1)) & 1u);
    const unsigned bin = power * 2 + upperHalf - 1;
    return static_cast<std::uint16_t>(bin < kSizeBinCount ? bin : kSizeBinCount - 1u);
}

/// The least size in bytes that falls into `bin`.
constexpr std::uint64_t sizeBinBegin(std::uint16_t bin)
{
    if (bin == 0)
        return 0;
    const unsigned power = (bin + 1u) / 2;
    const std::uint64_t base = std::uint64_t{1} << power;
    return (bin + 1u) % 2 ? base + base / 2 : base;
}

} // namespace model
