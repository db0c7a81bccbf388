// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/alert_inputs.h"

#include "model/analysis/known_limits.h"
#include "model/metric_meaning.h"

#include <algorithm>

namespace model {

namespace {

std::int64_t HeapTick::*field(HeapQuantity quantity)
{
    switch (quantity) {
    case HeapQuantity::LiveBytes:
        return &HeapTick::liveBytes;
    case HeapQuantity::LiveBlocks:
        return &HeapTick::liveBlocks;
    case HeapQuantity::AllocationRate:
        return &HeapTick::allocations;
    case HeapQuantity::AllocatedRate:
        return &HeapTick::allocatedBytes;
    case HeapQuantity::FreeRate:
        return &HeapTick::frees;
    case HeapQuantity::TemporaryRate:
        break;
    }
    return &HeapTick::temporaries;
}

bool isLevel(HeapQuantity quantity)
{
    return quantity == HeapQuantity::LiveBytes || quantity == HeapQuantity::LiveBlocks;
}

} // namespace

bool isHeapLevel(const SeriesSource &source)
{
    const auto *quantity = std::get_if<HeapQuantity>(&source);
    return quantity && isLevel(*quantity);
}

void AlertInputs::add(const EventBatch &batch, const ProgramTables &tables)
{
    m_span = batch.span;
    std::map<std::uint32_t, MetricValues> metrics;
    for (const MetricsRow &row : batch.metrics) {
        MetricValues &values = metrics[row.process.value] = row.values;
        const auto before = m_metrics.find(row.process.value);
        if (before == m_metrics.end())
            continue;
        for (const MetricInfo &info : kMetrics)
            if (const auto last = before->second.get(info.metric); last && !values.get(info.metric))
                values.set(info.metric, *last);
    }
    m_metrics = std::move(metrics);
    takeLives(tables);
    for (auto &[image, tick] : m_heap)
        tick.allocations = tick.allocatedBytes = tick.frees = tick.freedBytes = tick.temporaries = 0;
    for (const HeapTick &tick : batch.heapTicks)
        m_heap[tick.image.value] = tick;
    std::erase_if(m_heap, [&](const auto &entry) {
        const ImageId image(entry.first);
        return image.index() < tables.images.size() && tables.images[image.index()].end.has_value();
    });
    takeScans(batch);
    if (!batch.cpu.empty() || m_sampledNs)
        m_sampledNs = 0;
    for (const CpuDelta &cpu : batch.cpu)
        *m_sampledNs += cpu.samples * cpu.periodNs;
}

void AlertInputs::takeLives(const ProgramTables &tables)
{
    m_lives.clear();
    std::vector<ProcessId> processes;
    for (const auto &[id, values] : m_metrics) {
        const ProcessId process(id);
        LivingSeries::Span &life = m_lives.emplace_back();
        if (process.index() < tables.processes.size()) {
            life.began = tables.processes[process.index()].start;
            life.gone = tables.processes[process.index()].end;
        }
        processes.push_back(process);
    }
    const bool isAnyGone
        = std::any_of(m_lives.begin(), m_lives.end(), [](const LivingSeries::Span &life) { return life.gone; });
    if (isAnyGone)
        setForks(m_lives, processes, tables);
}

/// Of what each process has of its own.
std::optional<double> AlertInputs::level(Metric metric) const
{
    std::vector<LivingSeries::Said> said;
    for (std::size_t place = 0; const auto &[process, values] : m_metrics) {
        if (const auto read = values.get(metric))
            said.push_back({place, metricValue(*read, metricInfo(metric).unit)});
        ++place;
    }
    if (said.empty())
        return std::nullopt;
    LivingSeries::keepTogether(said, m_lives, m_span.end);
    double sum = 0;
    for (const LivingSeries::Said &one : said)
        sum += one.value;
    return sum;
}

void AlertInputs::takeScans(const EventBatch &batch)
{
    m_newLoss.reset();
    for (const MemoryScan &scan : batch.scans) {
        NewLoss &loss = m_newLoss ? *m_newLoss : m_newLoss.emplace();
        loss.scan = scan.id;
        for (const ScannedStack &stack : scan.stacks) {
            const BlockSum &lost = stack.sums[static_cast<std::size_t>(ReachClass::Directly)];
            if (lost.blocks <= 0 || !m_lossy.insert({scan.image.value, stack.stack.value}).second)
                continue;
            loss.bytes += lost.bytes;
            ++loss.stacks;
        }
    }
}

std::optional<AlertInputs::Limited> AlertInputs::limited(const SeriesSource &source) const
{
    const auto both = [this, &source](std::optional<double> limit) -> std::optional<Limited> {
        const auto used = value(source);
        return used && limit && *limit > 0 ? std::optional(Limited{*used, *limit}) : std::nullopt;
    };
    const std::optional<Metric> bound = limitingMetric(source);
    if (!bound)
        return canHaveLimit(source) ? both(memoryLimit()) : std::nullopt;
    if (isSharedByProcesses(*bound))
        return both(value(*bound));
    std::optional<Limited> nearest;
    for (const auto &[process, values] : m_metrics) {
        const auto used = values.get(std::get<Metric>(source)), limit = values.get(*bound);
        if (!used || !limit || *limit <= 0)
            continue;
        const Limited one{static_cast<double>(*used), static_cast<double>(*limit)};
        if (!nearest || one.value * nearest->limit > nearest->value * one.limit)
            nearest = one;
    }
    return nearest;
}

std::optional<double> AlertInputs::value(const SeriesSource &source) const
{
    const double seconds = m_span.isEmpty() ? 0 : m_span.length().seconds();
    if (const auto *quantity = std::get_if<HeapQuantity>(&source)) {
        if (m_heap.empty())
            return std::nullopt;
        double sum = 0;
        for (const auto &[image, tick] : m_heap)
            sum += static_cast<double>(tick.*field(*quantity));
        if (isLevel(*quantity))
            return sum;
        return seconds > 0 ? std::optional(sum / seconds) : std::nullopt;
    }
    if (const auto *quantity = std::get_if<CpuQuantity>(&source)) {
        if (*quantity == CpuQuantity::Sampled)
            return m_sampledNs && seconds > 0 ? std::optional(static_cast<double>(*m_sampledNs) / seconds * 1e-7)
                                              : std::nullopt;
        const auto user = value(Metric::CpuUser), system = value(Metric::CpuSystem);
        return user || system ? std::optional(user.value_or(0) + system.value_or(0)) : std::nullopt;
    }
    const auto metric = std::get<Metric>(source);
    if (!isRate(metric) && !isSharedByProcesses(metric))
        return level(metric);
    std::optional<double> sum;
    for (const auto &[process, values] : m_metrics) {
        const auto read = values.get(metric);
        if (!read)
            continue;
        const double one = metricValue(*read, metricInfo(metric).unit);
        if (isSharedByProcesses(metric))
            return one;
        sum = sum.value_or(0) + one;
    }
    return sum;
}

std::optional<double> AlertInputs::memoryLimit() const
{
    const auto group = value(Metric::MemoryLimit), available = value(Metric::SystemAvailable), own = value(Metric::Rss);
    std::optional<double> limit = group;
    if (available && own)
        limit = std::min(limit.value_or(*available + *own), *available + *own);
    return limit;
}

} // namespace model
