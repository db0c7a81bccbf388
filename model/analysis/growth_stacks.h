// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/snapshot.h"

#include <vector>

namespace model {

/// A stack whose live bytes move with a quantity.
struct GrowthStack
{
    ImageId image;
    StackId stack;
    std::int64_t grownBytes = 0; ///< over the selection
    double share = 0;            ///< of what the quantity grew by; above 1 where others shrank
    double correlation = 0;      ///< Pearson's, of the live bytes and the quantity at the same moments
};

/// The stacks that explain how `series` (of bytes) grew over the selection, from Snapshot::heapGrowth: correlation at least 0.7, and a
/// hundredth of the growth; most first, at most `most`. Nothing where the quantity did not grow. That two things grow together proves no cause. Pure.
std::vector<GrowthStack> growthStacks(const Snapshot &snapshot, const TimeSeries &series, std::size_t most = 5);

} // namespace model
