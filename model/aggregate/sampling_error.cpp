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

/// The interval, which allows for what no sample stands for: it ends where it would with one sample more, of one period in bytes, or as many of
/// the smallest blocks. Without any sample that is 3.9 periods, of which none is sampled in 2 of 100 cases (Poisson).
ErrorInterval withUnseen(std::int64_t cost, double variance, CostKind kind, std::int64_t periodBytes)
{
    const std::int64_t least = costInfo(kind).unit == Unit::Bytes ? 1 : static_cast<std::int64_t>(kLeastSampledBytes);
    const std::int64_t unseen = std::max<std::int64_t>(periodBytes / least, 1);
    const auto root = static_cast<double>(unseen);
    return {errorInterval(cost, variance).low, errorInterval(cost + unseen, variance + root * root).high};
}

} // namespace

bool isHeapSampled(const Snapshot &snapshot)
{
    if (snapshot.heapModes.empty())
        return snapshot.info.config.heap == HeapMode::Sampled;
    return std::any_of(snapshot.heapModes.begin(), snapshot.heapModes.end(),
        [&](const HeapModeChange &change) { return change.periodBytes > 1 && change.when <= snapshot.span.end; });
}

std::optional<ErrorInterval> errorOf(const HeapCost &row, CostKind kind, std::int64_t periodBytes)
{
    const std::optional<double> variance = varianceOf(row, kind);
    if (variance && *variance > 0)
        return errorInterval(costOf(row, kind), *variance);
    // Its stack was sampled, but nothing that is counted here.
    return variance && row.samples > 0 ? std::optional(withUnseen(costOf(row, kind), 0, kind, periodBytes))
                                       : std::nullopt;
}

std::optional<ErrorInterval> errorOf(const Snapshot &snapshot, CostKind kind)
{
    if (!isHeapSampled(snapshot) || !varianceOf({}, kind))
        return std::nullopt;
    std::int64_t cost = 0;
    double variance = 0;
    for (const HeapCost &row : snapshot.heap) {
        cost += costOf(row, kind);
        variance += varianceOf(row, kind).value_or(0);
    }
    return withUnseen(cost, variance, kind, longestPeriod(snapshot));
}

bool isPeakSampled(const Snapshot &snapshot)
{
    if (snapshot.heapModes.empty())
        return isHeapSampled(snapshot);
    return std::any_of(snapshot.heapModes.begin(), snapshot.heapModes.end(), [&](const HeapModeChange &change) {
        return change.periodBytes > 1 && change.when <= snapshot.heapSummary.peakWhen;
    });
}

std::optional<ErrorInterval> peakError(const Snapshot &snapshot)
{
    const HeapSummary &heap = snapshot.heapSummary;
    if (!isPeakSampled(snapshot))
        return std::nullopt;
    if (heap.peakBytes == heap.liveBytes)
        return errorOf(snapshot, CostKind::Live);
    // Of blocks smaller than the period each sample stands for about one period, and as many as there are vary like a Poisson count.
    const std::int64_t period = longestPeriod(snapshot);
    const double variance = static_cast<double>(heap.peakBytes) * static_cast<double>(period);
    return withUnseen(heap.peakBytes, variance, CostKind::Live, period);
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
