// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace model {

/// Random numbers that are the same on every machine for a seed (xoshiro256++ seeded by splitmix64; the standard library's
/// distributions are not). Not for secrets. One thread.
class Random
{
public:
    explicit Random(std::uint64_t seed);

    std::uint64_t bits();
    double uniform(); ///< in [0, 1)
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    double normal(); ///< mean 0, variance 1
    double exponential(double mean);
    double chiSquare(double degrees); ///< degrees ≥ 2

private:
    std::uint64_t m_state[4];
    double m_spare = 0;
    bool m_hasSpare = false;
};

} // namespace model
