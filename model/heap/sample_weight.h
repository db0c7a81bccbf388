// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/live_heap.h"

#include <cstdint>
#include <vector>

namespace model {

/// Smaller blocks are sampled as if they had this size: so the tracer has it.
inline constexpr std::uint64_t kLeastSampledBytes = 32;

/// What one recorded block stands for: itself where every event is recorded; where bytes are sampled, the blocks that were not.
struct SampleWeight
{
    std::int64_t blocks = 1;
    std::int64_t bytes = 0;
    double blockVariance = 0;     ///< of `blocks` as an estimate; blocks²
    double byteVariance = 0;      ///< of `bytes`; bytes²
    std::int64_t periodBytes = 0; ///< what it was sampled with; 0: every event is recorded
};

/// Weights of Poisson sampling by bytes (Horvitz–Thompson): a block of s bytes is a sample with p = 1 − e^(−max(s, 32)/R), and stands for
/// 1/p blocks and s/p bytes; (1 − p)/p² times 1 or s² is an unbiased estimate of its share of the variance. The number of blocks is
/// rounded up or down at random, so that its mean is right and counts stay whole; the rounding's variance is included.
class SampleWeights
{
public:
    /// `periodBytes` R: 0 where every event is recorded.
    SampleWeights() = default;
    explicit SampleWeights(std::uint64_t periodBytes)
        : m_periodBytes(periodBytes)
    {
    }

    std::uint64_t periodBytes() const { return m_periodBytes; }
    bool isSampling() const { return m_periodBytes != 0; }

    /// The weight of the block at `pointer`: the same whenever it is asked for, so what is added at its birth is what is taken off at its end.
    SampleWeight of(std::uint64_t pointer, const LiveBlock &block) const
    {
        return isSampling() ? sampled(pointer, block) : SampleWeight{1, static_cast<std::int64_t>(block.size), 0, 0, 0};
    }

private:
    SampleWeight sampled(std::uint64_t pointer, const LiveBlock &block) const;

    std::uint64_t m_periodBytes = 0;
};

/// Thins a live set of which every block is known, as if it had been sampled: decides for each block by itself, with the probability
/// that SampleWeights gives its size. What is kept then weighs as a sample of this period does, so sums over it are unbiased.
class Thinning
{
public:
    /// `seed` should differ from one thinning to the next.
    Thinning(std::uint64_t periodBytes, std::uint64_t seed);

    /// Whether a block of this size is kept; each call is a new decision.
    bool keeps(std::uint64_t size);

    /// At least as many blocks as are kept on average of `blocks` blocks of `bytes` bytes.
    static std::uint64_t expectedAtMost(std::uint64_t periodBytes, std::uint64_t blocks, std::uint64_t bytes);

private:
    double probability(std::uint64_t size) const;

    std::uint64_t m_periodBytes;
    std::uint64_t m_random;
    std::vector<double> m_bySize; ///< probabilities of small sizes: most blocks are small
};

/// An interval that holds the true total with about 95 % probability.
struct ErrorInterval
{
    std::int64_t low = 0;
    std::int64_t high = 0;
};

/// The 95 % interval of an estimated total with this estimated variance. Formed on the scale of the square root, on which sums of samples
/// are nearly normal also when they are few (Anscombe 1948): [(√x − h)², (√x + h)²] with h = z √v / (2 √x). For 0 both are 0: nothing
/// was sampled, and of a total below three periods that is no surprise.
ErrorInterval errorInterval(std::int64_t estimate, double variance);

} // namespace model
