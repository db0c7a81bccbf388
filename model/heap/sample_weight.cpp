// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/sample_weight.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

/// A number of [0, 1) that the block's place, size and birth determine.
double diceOf(std::uint64_t pointer, const LiveBlock &block)
{
    std::uint64_t h = pointer ^ (static_cast<std::uint64_t>(block.birthUs) << 24) ^ (block.size << 1);
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
    return static_cast<double>((h ^ (h >> 33)) >> 11) * 0x1p-53;
}

} // namespace

SampleWeight SampleWeights::sampled(std::uint64_t pointer, const LiveBlock &block) const
{
    const auto size = static_cast<double>(std::max(block.size, kLeastSampledBytes));
    const double p = -std::expm1(-size / static_cast<double>(m_periodBytes));
    const double blocks = 1 / p, whole = std::floor(blocks), rest = blocks - whole;
    const double variance = (1 - p) / (p * p);
    return {static_cast<std::int64_t>(whole) + (diceOf(pointer, block) < rest ? 1 : 0),
        std::llround(static_cast<double>(block.size) / p), variance + rest * (1 - rest),
        variance * static_cast<double>(block.size) * static_cast<double>(block.size),
        static_cast<std::int64_t>(m_periodBytes)};
}

Thinning::Thinning(std::uint64_t periodBytes, std::uint64_t seed)
    : m_periodBytes(periodBytes)
    , m_random(seed)
{
    constexpr std::uint64_t kSmallSizes = 2048;
    m_bySize.reserve(kSmallSizes);
    for (std::uint64_t size = 0; size < kSmallSizes; ++size)
        m_bySize.push_back(probability(size));
}

double Thinning::probability(std::uint64_t size) const
{
    return -std::expm1(-static_cast<double>(std::max(size, kLeastSampledBytes)) / static_cast<double>(m_periodBytes));
}

bool Thinning::keeps(std::uint64_t size)
{
    // splitmix64 (Steele, Lea, Flood 2014): any seed is a good one, and each step is a number of its own.
    m_random += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = m_random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    const double dice = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
    return dice < (size < m_bySize.size() ? m_bySize[size] : probability(size));
}

std::uint64_t Thinning::expectedAtMost(std::uint64_t periodBytes, std::uint64_t blocks, std::uint64_t bytes)
{
    // 1 − e^(−x) ≤ x and ≤ 1.
    return std::min(blocks, bytes / periodBytes + blocks * kLeastSampledBytes / periodBytes + 1);
}

ErrorInterval errorInterval(std::int64_t estimate, double variance)
{
    if (estimate <= 0 || variance <= 0)
        return {estimate, estimate};
    constexpr double kZ = 1.959964; // of the normal distribution, two-sided 95 %
    const double root = std::sqrt(static_cast<double>(estimate));
    const double half = kZ * std::sqrt(variance) / (2 * root);
    const double low = std::max(root - half, 0.0), high = root + half;
    return {std::llround(low * low), std::llround(high * high)};
}

} // namespace model
