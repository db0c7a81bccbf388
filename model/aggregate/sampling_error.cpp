// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/sampling_error.h"

#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

/// The variance of a row's cost; empty for kinds that have none.
std::optional<double> varianceOf(const HeapCost &row, CostKind kind)
{
    switch (kind) {
    case CostKind::Live:
        return row.liveVariance;
    case CostKind::LiveBlocks:
        return row.liveBlockVariance;
    case CostKind::Allocated:
        return row.allocatedVariance;
    case CostKind::Allocations:
        return row.allocationVariance;
    default:
        return std::nullopt;
    }
}

} // namespace

bool isHeapSampled(const Snapshot &snapshot)
{
    if (snapshot.heapModes.empty())
        return snapshot.info.config.heap == HeapMode::Sampled;
    return std::any_of(snapshot.heapModes.begin(), snapshot.heapModes.end(),
        [&](const HeapModeChange &change) { return change.periodBytes > 1 && change.when <= snapshot.span.end; });
}

std::optional<ErrorInterval> errorOf(const HeapCost &row, CostKind kind)
{
    const std::optional<double> variance = varianceOf(row, kind);
    return variance && *variance > 0 ? std::optional(errorInterval(costOf(row, kind), *variance)) : std::nullopt;
}

std::optional<ErrorInterval> errorOf(const Snapshot &snapshot, CostKind kind)
{
    std::int64_t cost = 0;
    double variance = 0;
    for (const HeapCost &row : snapshot.heap) {
        cost += costOf(row, kind);
        variance += varianceOf(row, kind).value_or(0);
    }
    if (variance <= 0)
        return std::nullopt;
    ErrorInterval interval = errorInterval(cost, variance);
    // As long as no sample was taken there may be up to 3.7 of them, with 97.5 % (Poisson): so little says nothing.
    constexpr double kNoneSeen = 3.7;
    if (costInfo(kind).unit == Unit::Bytes)
        interval.high = std::max(
            interval.high, static_cast<std::int64_t>(kNoneSeen * static_cast<double>(longestPeriod(snapshot))));
    return interval;
}

std::int64_t longestPeriod(const Snapshot &snapshot)
{
    if (snapshot.heapModes.empty())
        return snapshot.info.config.heapPeriodBytes;
    std::int64_t longest = 1;
    for (const HeapModeChange &change : snapshot.heapModes)
        if (change.when <= snapshot.span.end)
            longest = std::max(longest, change.periodBytes);
    return longest;
}

std::int64_t sampleCount(const Snapshot &snapshot)
{
    std::int64_t count = 0;
    for (const HeapCost &row : snapshot.heap)
        count += row.samples;
    return count;
}

std::string intervalText(const ErrorInterval &interval, CostKind kind)
{
    return formatInterval(static_cast<double>(interval.low), static_cast<double>(interval.high),
        costInfo(kind).unit == Unit::Bytes ? Unit::Bytes : Unit::Count);
}

} // namespace model
