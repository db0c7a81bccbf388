// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/batch_merge.h"

#include "model/base/wrapping_sum.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace capture {

namespace {

using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::string>;

struct KeyHash
{
    std::size_t operator()(const Key &key) const noexcept
    {
        std::uint64_t h = (std::uint64_t{std::get<0>(key)} << 32) | std::get<1>(key);
        h = (h ^ std::get<2>(key)) * 0x9e3779b97f4a7c15ull;
        if (!std::get<3>(key).empty())
            h ^= std::hash<std::string>()(std::get<3>(key));
        return static_cast<std::size_t>(h ^ (h >> 29));
    }
};

Key keyOf(const model::HeapDelta &row)
{
    return {row.image.value, row.stack.value, static_cast<std::uint64_t>(row.periodBytes), {}};
}
Key keyOf(const model::HeapSamplingDelta &row)
{
    return {row.image.value, row.stack.value, static_cast<std::uint64_t>(row.periodBytes), {}};
}
Key keyOf(const model::HeapTick &row) { return {row.image.value, 0, 0, {}}; }
Key keyOf(const model::HeapSizeDelta &row) { return {row.image.value, row.bin, 0, {}}; }
Key keyOf(const model::HeapLifetimeDelta &row) { return {row.image.value, row.bin, 0, {}}; }
Key keyOf(const model::HeapPeak &row) { return {row.image.value, 0, 0, {}}; }
Key keyOf(const model::HeapPeakRow &row) { return {row.image.value, row.stack.value, 0, {}}; }
Key keyOf(const model::CpuDelta &row)
{
    return {row.image.value, row.stack.value,
        (std::uint64_t{row.thread.value} << 32) ^ static_cast<std::uint64_t>(row.periodNs), {}};
}
Key keyOf(const model::ActivityDelta &row)
{
    return {row.image.value, row.stack.value, (std::uint64_t{row.thread.value} << 32) | row.activity.value, {}};
}
Key keyOf(const model::Loss &row) { return {row.image.value, static_cast<std::uint32_t>(row.kind), 0, row.detail}; }

Key keyOf(const model::AreaTick &row)
{
    return {row.image.value, row.name.value, static_cast<std::uint64_t>(row.kind), {}};
}
Key keyOf(const model::AreaDelta &row)
{
    return {row.image.value, row.name.value,
        (std::uint64_t{row.stack.value} << 8) | static_cast<std::uint64_t>(row.kind), {}};
}
Key keyOf(const model::MemoryPartsRow &row) { return {row.process.value, 0, 0, {}}; }
Key keyOf(const model::AgeClock &row) { return {row.image.value, 0, 0, {}}; }
Key keyOf(const model::StackAges &row) { return {row.image.value, row.stack.value, row.part, {}}; }
Key keyOf(const model::Phase &row) { return {row.id, 0, 0, {}}; }

void add(model::HeapDelta &row, const model::HeapDelta &next)
{
    row.allocations += next.allocations;
    model::addWrapping(row.allocatedBytes, next.allocatedBytes);
    row.frees += next.frees;
    model::addWrapping(row.freedBytes, next.freedBytes);
    row.temporaries += next.temporaries;
    model::addWrapping(row.temporaryBytes, next.temporaryBytes);
}

void add(model::HeapSamplingDelta &row, const model::HeapSamplingDelta &next) { row.sampling += next.sampling; }

void add(model::HeapTick &row, const model::HeapTick &next)
{
    row.liveBytes = next.liveBytes;
    row.liveBlocks = next.liveBlocks;
    row.leastLiveBytes = std::min(row.leastLiveBytes, next.leastLiveBytes);
    row.mostLiveBytes = std::max(row.mostLiveBytes, next.mostLiveBytes);
    row.allocations += next.allocations;
    model::addWrapping(row.allocatedBytes, next.allocatedBytes);
    row.frees += next.frees;
    model::addWrapping(row.freedBytes, next.freedBytes);
    row.temporaries += next.temporaries;
    row.unknownFrees += next.unknownFrees;
}

void add(model::HeapSizeDelta &row, const model::HeapSizeDelta &next)
{
    row.allocations += next.allocations;
    model::addWrapping(row.bytes, next.bytes);
}

void add(model::HeapLifetimeDelta &row, const model::HeapLifetimeDelta &next)
{
    row.frees += next.frees;
    model::addWrapping(row.bytes, next.bytes);
}

void add(model::HeapPeak &row, const model::HeapPeak &next) { row = next; }
void add(model::HeapPeakRow &row, const model::HeapPeakRow &next) { row = next; }
void add(model::MemoryPartsRow &row, const model::MemoryPartsRow &next) { row = next; }
void add(model::AgeClock &row, const model::AgeClock &next) { row = next; }
void add(model::StackAges &row, const model::StackAges &next) { row = next; }
void add(model::Phase &row, const model::Phase &next) { row = next; }
void add(model::AreaTick &row, const model::AreaTick &next)
{
    row.liveBytes = next.liveBytes;
    row.liveBlocks = next.liveBlocks;
    row.mostLiveBytes = std::max(row.mostLiveBytes, next.mostLiveBytes);
}
void add(model::AreaDelta &row, const model::AreaDelta &next)
{
    row.allocations += next.allocations;
    model::addWrapping(row.allocatedBytes, next.allocatedBytes);
    row.frees += next.frees;
    model::addWrapping(row.freedBytes, next.freedBytes);
}
void add(model::CpuDelta &row, const model::CpuDelta &next) { row.samples += next.samples; }
void add(model::ActivityDelta &row, const model::ActivityDelta &next)
{
    row.count += next.count;
    row.timeNs += next.timeNs;
    row.errors += next.errors;
    row.bytes += next.bytes;
    row.ownStacks += next.ownStacks;
    row.estimated += next.estimated;
}
void add(model::Loss &row, const model::Loss &next) { row.count += next.count; }

/// Adds each of `from` to the row of the same key in `to`, or appends it. Rows of `to` have distinct keys.
template <typename Row> void mergeRows(std::vector<Row> &to, std::vector<Row> from)
{
    if (to.empty()) {
        to = std::move(from);
        return;
    }
    std::unordered_map<Key, std::size_t, KeyHash> places;
    places.reserve(to.size() + from.size());
    for (std::size_t i = 0; i < to.size(); ++i)
        places.emplace(keyOf(to[i]), i);
    for (Row &row : from) {
        const auto [it, isNew] = places.emplace(keyOf(row), to.size());
        if (isNew)
            to.push_back(std::move(row));
        else
            add(to[it->second], row);
    }
}

bool isRate(const model::MetricInfo &info)
{
    switch (info.unit) {
    case model::MetricUnit::BytesPerSecond:
    case model::MetricUnit::PerSecond:
        return true;
    case model::MetricUnit::MilliPercent:
        return info.metric != model::Metric::MemoryPressure;
    case model::MetricUnit::Bytes:
    case model::MetricUnit::Count:
        return false;
    }
    return false;
}

void addMetrics(model::MetricValues &values, std::int64_t spanNs, const model::MetricValues &next, std::int64_t nextNs)
{
    for (const model::MetricInfo &info : model::kMetrics) {
        const auto later = next.get(info.metric);
        if (!later)
            continue;
        const auto earlier = values.get(info.metric);
        if (earlier && info.metric == model::Metric::RssPeak) {
            values.set(info.metric, std::max(*earlier, *later));
            continue;
        }
        if (!earlier || !isRate(info) || spanNs + nextNs <= 0) {
            values.set(info.metric, *later);
            continue;
        }
        const double sum = static_cast<double>(*earlier) * static_cast<double>(spanNs)
            + static_cast<double>(*later) * static_cast<double>(nextNs);
        values.set(info.metric, std::llround(sum / static_cast<double>(spanNs + nextNs)));
    }
}

void mergeMetrics(model::EventBatch &batch, const model::EventBatch &next)
{
    std::unordered_map<model::ProcessId, std::size_t> places;
    for (std::size_t i = 0; i < batch.metrics.size(); ++i)
        places.emplace(batch.metrics[i].process, i);
    for (const model::MetricsRow &row : next.metrics) {
        const auto [it, isNew] = places.emplace(row.process, batch.metrics.size());
        if (isNew)
            batch.metrics.push_back(row);
        else
            addMetrics(batch.metrics[it->second].values, batch.span.length().ns, row.values, next.span.length().ns);
    }
}

template <typename Row> void append(std::vector<Row> &to, std::vector<Row> from)
{
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

void mergeInto(model::EventBatch &batch, model::EventBatch next)
{
    mergeMetrics(batch, next);
    mergeRows(batch.heap, std::move(next.heap));
    mergeRows(batch.heapSampling, std::move(next.heapSampling));
    append(batch.heapModes, std::move(next.heapModes));
    mergeRows(batch.heapTicks, std::move(next.heapTicks));
    mergeRows(batch.heapSizes, std::move(next.heapSizes));
    mergeRows(batch.heapLifetimes, std::move(next.heapLifetimes));
    mergeRows(batch.heapPeaks, std::move(next.heapPeaks));
    mergeRows(batch.heapPeakRows, std::move(next.heapPeakRows));
    mergeRows(batch.ageClocks, std::move(next.ageClocks));
    mergeRows(batch.stackAges, std::move(next.stackAges));
    mergeRows(batch.cpu, std::move(next.cpu));
    mergeRows(batch.activities, std::move(next.activities));
    mergeRows(batch.losses, std::move(next.losses));
    append(batch.marks, std::move(next.marks));
    append(batch.gaps, std::move(next.gaps));
    append(batch.alerts, std::move(next.alerts));
    mergeRows(batch.phases, std::move(next.phases));
    mergeRows(batch.areaTicks, std::move(next.areaTicks));
    mergeRows(batch.areas, std::move(next.areas));
    mergeRows(batch.memoryParts, std::move(next.memoryParts));
    append(batch.scans, std::move(next.scans));
    batch.soak.merge(std::move(next.soak));
    append(batch.leakClaims, std::move(next.leakClaims));
    if (!next.disk.empty())
        batch.disk = std::move(next.disk);
    batch.span.end = next.span.end;
    batch.recorderCpuNs += next.recorderCpuNs;
    batch.recorderRssBytes = next.recorderRssBytes;
}

} // namespace capture
