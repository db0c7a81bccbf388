// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/record.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// Decides which allocations are sampled: points lie on the line of all bytes a thread allocates, at distances that are exponentially
/// distributed with mean `periodBytes`; an allocation that covers a point is a sample. So one of size s is taken with probability
/// 1 − e^(−max(s, 32)/period), whatever came before it (Poisson sampling by bytes; jemalloc's PROFILING_INTERNALS.md derives the weights).
/// One thread's. Small sizes count as wire::kLeastSampledBytes.
class Sampler
{
public:
    /// `seed` should differ from thread to thread.
    void begin(std::uint64_t periodBytes, std::uint64_t seed);

    /// Whether an allocation of `size` bytes is a sample: one subtraction.
    bool takes(std::size_t size)
    {
        if (passesOver(size)) [[likely]]
            return false;
        m_left = draw();
        return true;
    }

    /// True where takes() would be false, with the same effect; else nothing has happened, and takes() is to be asked.
    bool passesOver(std::size_t size)
    {
        const std::uint64_t counted = size > wire::kLeastSampledBytes ? size : wire::kLeastSampledBytes;
        // Read once and written once: a signal handler may come in between and do the same.
        const std::uint64_t left = __atomic_load_n(&m_left, __ATOMIC_RELAXED);
        if (counted >= left) [[unlikely]]
            return false;
        __atomic_store_n(&m_left, left - counted, __ATOMIC_RELAXED);
        return true;
    }

private:
    std::uint64_t draw();

    std::uint64_t m_left = 0; ///< bytes to the next point
    double m_periodBytes = 0;
    std::uint64_t m_random = 0;
};

} // namespace capture::tracer
