// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/memory_parts.h"

#include <algorithm>
#include <array>
#include <functional>

namespace model {

namespace {

double valueAt(const TimeSeries &series, Timestamp when)
{
    const auto point = series.nearest(when);
    return point ? point->value : 0;
}

/// A series with the moments of `model`, its values by `value(when, modelValue)`.
TimeSeries alike(const TimeSeries &pattern, const SeriesSource &source, const std::function<double(SeriesPoint)> &value)
{
    TimeSeries result{source, pattern.segments};
    for (std::vector<SeriesPoint> &segment : result.segments)
        for (SeriesPoint &point : segment)
            point.value = value(point);
    return result;
}

bool isZero(const MemoryPart &part)
{
    for (const auto &segment : part.series.segments)
        if (std::any_of(segment.begin(), segment.end(), [](const SeriesPoint &point) { return point.value > 0; }))
            return false;
    return true;
}

} // namespace

std::vector<MemoryPart> memoryParts(const Snapshot &snapshot)
{
    const TimeSeries anonymous = timeSeries(snapshot, Metric::Anonymous);
    const TimeSeries shared = timeSeries(snapshot, Metric::Shared);
    const TimeSeries files = timeSeries(snapshot, Metric::FileBacked);
    const TimeSeries live = timeSeries(snapshot, HeapQuantity::LiveBytes);
    const auto heapAt
        = [&](SeriesPoint point) { return std::clamp(valueAt(live, point.when), 0.0, std::max(point.value, 0.0)); };
    std::vector<MemoryPart> parts{
        {"live_heap_bytes", "live heap", alike(anonymous, HeapQuantity::LiveBytes, heapAt)},
        {"other_anonymous_bytes", "other anonymous",
            alike(anonymous, Metric::Anonymous, [&](SeriesPoint point) { return point.value - heapAt(point); })},
        {"shared_bytes", "shared",
            alike(anonymous, Metric::Shared, [&](SeriesPoint point) { return valueAt(shared, point.when); })},
        {"file_bytes", "files",
            alike(anonymous, Metric::FileBacked, [&](SeriesPoint point) { return valueAt(files, point.when); })},
    };
    parts.erase(std::remove_if(parts.begin(), parts.end(), isZero), parts.end());
    return parts;
}

} // namespace model
