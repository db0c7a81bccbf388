// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace model {

/// Size classes of the allocation heat map: two a power of two, so [16, 24) and [24, 32) are neighbours.
/// Bin 0: size 0 and 1; bins end at kSizeBinCount − 1, which holds everything larger too.
inline constexpr std::uint16_t kSizeBinCount = 80;

/// The bin of a requested size in bytes, below 2^53.
constexpr std::uint16_t sizeBin(std::uint64_t bytes)
{
    // As a floating-point number its power of two and the bit below stand side by side.
    constexpr std::int64_t kPowerZero = 2 * 1023 + 1;
    const auto number = static_cast<double>(static_cast<std::int64_t>(bytes));
    const std::int64_t bin = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(number) >> 51) - kPowerZero;
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(bin, 0, kSizeBinCount - 1));
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
