// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// What stands for a path of frames from its root: 64 bits, which any two of n paths share with a probability of n² / 2^65. Of modules it says nothing:
/// where one may have taken the place of another, whoever looks a path up by it compares modules as well.
struct PathHash
{
    static std::uint64_t ofRoot(std::uint32_t root) { return (std::uint64_t{root} + 1) * kFactor; }
    /// Of the path that goes on to a frame of this address.
    static std::uint64_t extended(std::uint64_t hash, std::uint64_t address)
    {
        const std::uint64_t product = (hash ^ address) * kFactor;
        return product << 32 | product >> 32;
    }
    /// The same of a path whose frames also lie as far apart as they do: `bytes` to the caller, 0 where that does not follow from the address alone.
    static std::uint64_t extended(std::uint64_t hash, std::uint64_t address, std::uint64_t bytes)
    {
        return extended(hash, address ^ bytes * 0xd6e8feb86659fd93);
    }

private:
    static constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
};

} // namespace capture::tracer
