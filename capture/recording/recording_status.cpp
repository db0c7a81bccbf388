// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/recording_status.h"

namespace capture {

void StatusKeeper::add(const model::EventBatch &batch, const model::ProgramTables &tables)
{
    m_status.durationNs = batch.span.end.ns;
    ++m_status.ticks;
    m_status.recorderCpuNs += batch.recorderCpuNs;
    m_status.recorderRssBytes = batch.recorderRssBytes;
    m_status.processes = 0;
    for (const model::Process &process : tables.processes)
        m_status.processes += process.end ? 0 : 1;
    addMetrics(batch, tables);
    addHeap(batch, tables);
    for (const model::CpuDelta &delta : batch.cpu)
        m_status.cpuSamples += delta.samples;
    for (const model::Loss &loss : batch.losses) {
        if (loss.kind == model::LossKind::EventsDropped)
            m_status.eventsDropped += loss.count;
        else if (loss.kind == model::LossKind::SamplesLost)
            m_status.samplesLost += loss.count;
    }
}

void StatusKeeper::addMetrics(const model::EventBatch &batch, const model::ProgramTables &tables)
{
    if (batch.metrics.empty())
        return;
    std::int64_t rss = 0;
    std::int64_t cpu = 0;
    for (const model::MetricsRow &row : batch.metrics) {
        if (tables.processes.at(row.process.index()).end)
            continue;
        rss += row.values.get(model::Metric::Rss).value_or(0);
        cpu += row.values.get(model::Metric::CpuUser).value_or(0)
            + row.values.get(model::Metric::CpuSystem).value_or(0);
    }
    m_status.rssBytes = rss;
    m_status.cpuMilliPercent = cpu;
}

void StatusKeeper::addHeap(const model::EventBatch &batch, const model::ProgramTables &tables)
{
    for (const model::HeapModeChange &change : batch.heapModes)
        m_status.heapSampled = m_status.heapSampled || change.periodBytes > 1;
    for (const model::HeapTick &tick : batch.heapTicks) {
        m_status.heapTraced = true;
        m_status.allocations += tick.allocations;
        m_status.frees += tick.frees;
        m_liveBytes[tick.image] = tick.liveBytes;
    }
    std::int64_t live = 0;
    for (auto it = m_liveBytes.begin(); it != m_liveBytes.end();) {
        if (tables.images.at(it->first.index()).end) {
            it = m_liveBytes.erase(it);
            continue;
        }
        live += it->second;
        ++it;
    }
    m_status.liveBytesChange = live - m_status.liveBytes;
    m_status.liveBytes = live;
}

} // namespace capture
