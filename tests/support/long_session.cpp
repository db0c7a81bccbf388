// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/long_session.h"

#include "model/heap/size_bins.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

namespace tests {

using namespace model;

LongSession::LongSession(LongSessionShape shape, unsigned seed)
    : m_shape(shape)
    , m_random(seed)
{
    makeProgram();
    for (const StackId id : makeStacks(m_shape.stacks, 12, 30, "allocates")) {
        HeapStack stack{id, 16 << below(9), 0, false};
        stack.leaks = m_heap.size() % 500 == 17;
        m_heap.push_back(stack);
    }
    m_cpu = makeStacks(m_shape.cpuStacks, 3, 30, "works");
    for (std::size_t i = 0; i < m_cpu.size(); ++i)
        m_cpuWeights.push_back(1.0 / static_cast<double>(i + 1));
}

void LongSession::makeProgram()
{
    m_process = m_tables.addProcess({.pid = 4128});
    m_image = m_tables.addImage({.process = m_process,
        .executable = m_tables.string("/usr/bin/server"),
        .commandLine = m_tables.string("server --port 80"),
        .heap = HeapState::Full,
        .heapNote = StringId(0u)});
    for (int i = 0; i < m_shape.threads; ++i)
        m_threads.push_back(m_tables.addThread(
            {.process = m_process, .tid = 4128 + i, .name = m_tables.string("worker" + std::to_string(i))}));
}

/// Stacks share their outer frames as those of a program do: a function calls a few others.
std::vector<StackId> LongSession::makeStacks(int count, int leastFrames, int mostFrames, const char *name)
{
    const ModuleId module = m_tables.module("/usr/bin/server", "ab12", ModuleKind::File);
    std::vector<StackId> stacks;
    while (static_cast<int>(stacks.size()) < count) {
        const int depth = leastFrames + below(mostFrames - leastFrames + 1);
        StackId node = TableBuilder::root(StackEnd::ReachedStart);
        int function = 0;
        for (int level = 0; level < depth; ++level) {
            const int calls = level + 3 < depth ? 2 : 8;
            function = (function * 8 + below(calls) + 1) % 3000;
            const FrameId frame
                = m_tables.frame(module, 0x1000 + 16 * static_cast<std::uint64_t>(function), FrameKind::ReturnAddress);
            m_tables.setSymbols(frame, FrameSymbols::State::Resolved,
                {{m_tables.string(std::string("server::") + name + "::function" + std::to_string(function)),
                    m_tables.string("src/file" + std::to_string(function % 200) + ".cpp"),
                    static_cast<std::uint32_t>(function)}});
            node = m_tables.stack(node, frame);
        }
        if (std::find(stacks.begin(), stacks.end(), node) == stacks.end())
            stacks.push_back(node);
    }
    return stacks;
}

EventBatch LongSession::next()
{
    EventBatch batch;
    batch.span = {m_now, {m_now.ns + m_shape.tickNs * std::int64_t{1 + below(m_shape.tickLengths)}}};
    m_now = batch.span.end;
    addMetrics(batch);
    addHeap(batch);
    addCpu(batch);
    if (m_shape.hasAreas && m_tick % 10 == 3)
        addAreas(batch);
    if (m_shape.hasLosses && m_tick % 7 == 2)
        batch.losses.push_back({LossKind::SamplesLost, {}, 1 + below(5), ""});
    batch.recorderCpuNs = 1'000'000;
    batch.recorderRssBytes = 30 << 20;
    ++m_tick;
    return batch;
}

void LongSession::addMetrics(EventBatch &batch)
{
    MetricValues values;
    const int count = std::min(m_shape.metrics, static_cast<int>(kMetricCount));
    for (int i = 0; i < count; ++i) {
        const auto metric = static_cast<Metric>(i);
        const bool isBytes = metricInfo(metric).unit == MetricUnit::Bytes;
        const std::int64_t value = isBytes ? (std::int64_t{50000} + 1000 * i + below(300)) * 4096 : below(5000);
        values.set(metric, value);
    }
    batch.metrics.push_back({m_process, values});
    batch.memoryParts.push_back(
        {m_process, m_liveBytes, 1 << 20, 1 << 17, 8 << 20, 1 << 20, 1 << 20, below(1 << 20), m_tick % 60 == 0});
}

std::vector<int> LongSession::changedStacks()
{
    const int busy = std::max(m_shape.stacks / 10, 1);
    std::vector<int> changed;
    for (int i = 0; i < m_shape.changedStacks * 2 && static_cast<int>(changed.size()) < m_shape.changedStacks; ++i) {
        changed.push_back(i % 2 == 0 ? below(busy) : below(m_shape.stacks));
        if (static_cast<int>(changed.size()) == m_shape.changedStacks) {
            std::sort(changed.begin(), changed.end());
            changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
        }
    }
    return changed;
}

void LongSession::addHeap(EventBatch &batch)
{
    HeapTick tick{.image = m_image, .leastLiveBytes = m_liveBytes, .mostLiveBytes = m_liveBytes};
    std::map<std::uint16_t, HeapSizeDelta> sizes;
    std::map<std::uint16_t, HeapLifetimeDelta> lifetimes;
    // The load of a server over the day.
    const double hour = static_cast<double>(m_now.ns) / 3.6e12;
    const auto wanted = static_cast<std::int64_t>(40 + 20 * std::sin(hour * 2 * 3.14159 / 24));
    const std::vector<int> changed = changedStacks();
    for (const int index : changed) {
        HeapStack &stack = m_heap[static_cast<std::size_t>(index)];
        HeapDelta delta{.image = m_image, .stack = stack.id, .periodBytes = m_shape.isSampled ? 4096 : 1};
        delta.allocations = 1 + below(40);
        const std::int64_t mostFrees = stack.liveBlocks + delta.allocations;
        delta.frees = stack.leaks ? std::max<std::int64_t>(delta.allocations - 1, 0)
                                  : std::clamp<std::int64_t>(mostFrees - wanted + below(20) - 10, 0, mostFrees);
        delta.allocatedBytes = delta.allocations * stack.blockBytes;
        delta.freedBytes = delta.frees * stack.blockBytes;
        delta.temporaries = index % 3 == 0 ? delta.frees / 2 : 0;
        delta.temporaryBytes = delta.temporaries * stack.blockBytes;
        stack.liveBlocks += delta.allocations - delta.frees;
        tick.allocations += delta.allocations;
        tick.allocatedBytes += delta.allocatedBytes;
        tick.frees += delta.frees;
        tick.freedBytes += delta.freedBytes;
        tick.temporaries += delta.temporaries;
        const std::uint16_t bin = sizeBin(stack.blockBytes);
        HeapSizeDelta &size = sizes.try_emplace(bin, HeapSizeDelta{m_image, bin}).first->second;
        size.allocations += delta.allocations;
        size.bytes += delta.allocatedBytes;
        const auto age = static_cast<std::uint16_t>(below(18));
        HeapLifetimeDelta &lifetime = lifetimes.try_emplace(age, HeapLifetimeDelta{m_image, age}).first->second;
        lifetime.frees += delta.frees;
        lifetime.bytes += delta.freedBytes;
        if (m_shape.isSampled)
            batch.heapSampling.push_back(
                {m_image, stack.id, {delta.allocations, 0.5, 2500.0 * below(100), 0.25, 1250.0 * below(50)}, 4096});
        batch.heap.push_back(delta);
    }
    m_liveBytes += tick.allocatedBytes - tick.freedBytes;
    m_liveBlocks += tick.allocations - tick.frees;
    tick.liveBytes = m_liveBytes;
    tick.liveBlocks = m_liveBlocks;
    tick.leastLiveBytes = std::min(tick.leastLiveBytes, m_liveBytes);
    tick.mostLiveBytes = std::max(tick.mostLiveBytes, m_liveBytes) + below(4096);
    batch.heapTicks.push_back(tick);
    for (const auto &[bin, size] : sizes)
        batch.heapSizes.push_back(size);
    for (const auto &[bin, lifetime] : lifetimes)
        batch.heapLifetimes.push_back(lifetime);
    addPeak(batch, tick, changed);
}

void LongSession::addPeak(EventBatch &batch, const HeapTick &tick, const std::vector<int> &changed)
{
    if (m_liveBytes <= m_peakBytes)
        return;
    m_peakBytes = m_liveBytes;
    batch.heapPeaks.push_back({m_image, batch.span.end, tick.liveBytes, tick.liveBlocks});
    for (const int index : changed) {
        const HeapStack &stack = m_heap[static_cast<std::size_t>(index)];
        batch.heapPeakRows.push_back({m_image, stack.id, stack.liveBlocks * stack.blockBytes, stack.liveBlocks});
    }
}

void LongSession::addCpu(EventBatch &batch)
{
    if (m_cpu.empty())
        return;
    std::discrete_distribution<std::size_t> pick(m_cpuWeights.begin(), m_cpuWeights.end());
    const std::int64_t periodNs = 1'000'000'000 / m_shape.cpuSamples;
    const std::int64_t samples = m_shape.cpuSamples * batch.span.length().ns / 1'000'000'000;
    std::map<std::pair<ThreadId, StackId>, std::int64_t> counts;
    for (std::int64_t i = 0; i < samples; ++i)
        ++counts[{m_threads[static_cast<std::size_t>(below(m_shape.threads))], m_cpu[pick(m_random)]}];
    for (const auto &[where, count] : counts)
        batch.cpu.push_back({where.first, m_image, where.second, count, periodNs});
    if (m_shape.hasActivity)
        for (const auto &[where, count] : counts) {
            batch.activities.push_back(
                {where.first, m_image, where.second, model::Activity::call(static_cast<std::uint32_t>(count % 7)),
                    3 * count, count * 1000, count % 3, count * 50, count, 0});
            batch.activities.push_back({where.first, m_image, where.second,
                model::Activity::wait(static_cast<model::WaitClass>(count % 9)), count, count * 1'000'000, 0, 0, 1, 0});
        }
}

void LongSession::addAreas(EventBatch &batch)
{
    for (const char *name : {"arena", "requests"}) {
        const StringId id = m_tables.string(name);
        const std::int64_t bytes = 64 * (1 + below(100));
        m_areaBytes += bytes - 64;
        batch.areas.push_back(
            {m_image, AreaKind::Pool, id, m_heap[static_cast<std::size_t>(below(20))].id, 2, bytes, 1, 64});
        batch.areaTicks.push_back({m_image, AreaKind::Pool, id, m_areaBytes, m_tick, m_areaBytes + 64});
    }
}

} // namespace tests
