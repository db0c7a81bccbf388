// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/heap_counts.h"

#include "model/base/wrapping_sum.h"

namespace model {

HeapCounts &HeapCounts::operator+=(const HeapCounts &other)
{
    allocations += other.allocations;
    addWrapping(allocatedBytes, other.allocatedBytes);
    frees += other.frees;
    addWrapping(freedBytes, other.freedBytes);
    temporaries += other.temporaries;
    addWrapping(temporaryBytes, other.temporaryBytes);
    return *this;
}

HeapSampling &HeapSampling::operator+=(const HeapSampling &other)
{
    samples += other.samples;
    allocationVariance += other.allocationVariance;
    allocatedVariance += other.allocatedVariance;
    freeVariance += other.freeVariance;
    freedVariance += other.freedVariance;
    periodBytes = std::max(periodBytes, other.periodBytes);
    return *this;
}

HeapSampling &HeapSampling::operator-=(const HeapSampling &other)
{
    samples -= other.samples;
    allocationVariance -= other.allocationVariance;
    allocatedVariance -= other.allocatedVariance;
    freeVariance -= other.freeVariance;
    freedVariance -= other.freedVariance;
    return *this;
}

} // namespace model
