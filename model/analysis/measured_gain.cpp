// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/time_series.h"
#include "model/aggregate/tracer_time.h"
#include "model/analysis/done_advice.h"
#include "model/compare/comparison.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

/// The cost that a gain is one of.
CostKind costOfGain(GainKind kind)
{
    switch (kind) {
    case GainKind::CpuShare:
        return CostKind::CpuTime;
    case GainKind::AllocationShare:
        return CostKind::Allocations;
    case GainKind::TimeShare:
        return CostKind::Blocked;
    case GainKind::Bytes:
    case GainKind::BytesPerHour:
        break;
    }
    return CostKind::Growth;
}

bool wasRecorded(const Snapshot &snapshot, CostKind kind)
{
    switch (costInfo(kind).source) {
    case CostSource::Cpu:
        return !snapshot.cpu.empty();
    case CostSource::Heap:
        return snapshot.info.config.heap != HeapMode::Off;
    case CostSource::SystemCall:
        return snapshot.info.config.systemCalls;
    case CostSource::Wait:
        return snapshot.info.config.waits;
    }
    return false;
}

/// The place of an advice among the functions of a comparison; null where it is not there.
const FunctionDifference *placeIn(const Comparison &comparison, const Recommendation &item)
{
    for (const FunctionDifference &row : comparison.functions) {
        const FunctionIndex &index = *comparison.indexes[sideIndex(row.side)];
        const bool isThere = item.module.empty() || index.moduleName(row.shown) == item.module;
        if (isThere && row.isInA && shortFunctionName(index.name(row.shown)) == item.place)
            return &row;
    }
    return nullptr;
}

/// Anonymous memory at the end, of all processes.
std::optional<double> anonymousBytes(const Snapshot &snapshot)
{
    const TimeSeries series = timeSeries(snapshot, Metric::Anonymous);
    const auto last = series.last();
    return last ? std::optional(last->value) : std::nullopt;
}

double hoursOf(const Snapshot &snapshot) { return snapshot.span.length().seconds() / 3600; }

MeasuredGain judged(const Recommendation &item, double gain, Interval interval)
{
    MeasuredGain measured{.gain = gain, .interval95 = interval, .later = {}};
    measured.verdict = interval.high < item.gain.low ? GainVerdict::Less
        : interval.low > item.gain.high              ? GainVerdict::More
                                                     : GainVerdict::Inside;
    return measured;
}

Result<MeasuredGain> memoryGain(const Recommendation &item, const Snapshot &before, const Snapshot &later)
{
    const auto then = anonymousBytes(before);
    const auto now = anonymousBytes(later);
    if (!then || !now)
        return Error("Memory was not measured in both sessions, so the gain cannot be told");
    return judged(item, *then - *now, {*then - *now, *then - *now});
}

} // namespace

Result<MeasuredGain> measuredGain(const Recommendation &item, std::shared_ptr<const Snapshot> before,
    std::shared_ptr<const Snapshot> later, std::stop_token stop)
{
    if (item.gainKind == GainKind::Bytes)
        return memoryGain(item, *before, *later);
    const CostKind kind = costOfGain(item.gainKind);
    for (const auto &snapshot : {before, later})
        if (!wasRecorded(*snapshot, kind))
            return Error(snapshot->file + " has no " + std::string(costInfo(kind).label)
                + "; record it as the other one was recorded");
    if (kind == CostKind::CpuTime) {
        // No advice counts it: a program that allocates less has less of it too.
        before = withoutTracer(before).snapshot;
        later = withoutTracer(later).snapshot;
    }
    const auto comparison = compare({before, 1}, {later, 1}, kind, stop);
    if (!comparison)
        return Error("Measuring was cancelled");
    const FunctionDifference *row = placeIn(*comparison, item);
    const bool isOfPlace = row != nullptr;
    if (!isOfPlace && item.place != item.module)
        return Error(item.place + " has no such cost in the session that the advice was given for");
    const Difference &cost = isOfPlace ? row->total : comparison->total;
    if (item.gainKind == GainKind::BytesPerHour) {
        if (hoursOf(*before) <= 0 || hoursOf(*later) <= 0)
            return Error("One of the sessions lasted no time");
        const double gain = cost.a / hoursOf(*before) - cost.b / hoursOf(*later);
        return judged(item, gain, {gain, gain});
    }
    const double all = comparison->total.a;
    if (all <= 0 || cost.a <= 0)
        return Error(item.place + " has no such cost in the session that the advice was given for");
    const double share = cost.a / all;
    const auto gainAt = [share](double ratio) { return std::isfinite(ratio) ? share * (1 - ratio) : -1.0; };
    return judged(item, gainAt(cost.b / cost.a), {gainAt(cost.ratio95.high), gainAt(cost.ratio95.low)});
}

} // namespace model
