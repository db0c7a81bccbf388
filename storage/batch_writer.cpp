// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/batch_writer.h"

#include "model/base/wrapping_sum.h"
#include "storage/age_history.h"
#include "storage/metric_medians.h"

#include <map>
#include <string>

namespace storage {

namespace {

constexpr const char *kHeapSql
    = "INSERT INTO heap (tick, image, stack, period_bytes, allocations, allocated_bytes, frees, freed_bytes, "
      "temporaries,"
      " temporary_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
      " allocations = allocations + excluded.allocations, allocated_bytes = allocated_bytes + excluded.allocated_bytes,"
      " frees = frees + excluded.frees, freed_bytes = freed_bytes + excluded.freed_bytes,"
      " temporaries = temporaries + excluded.temporaries, temporary_bytes = temporary_bytes + excluded.temporary_bytes";

constexpr const char *kHeapSamplingSql
    = "INSERT INTO heap_sampling (tick, image, stack, period_bytes, samples, allocation_variance, allocated_variance,"
      " free_variance, freed_variance) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
      " samples = samples + excluded.samples, allocation_variance = allocation_variance + excluded.allocation_variance,"
      " allocated_variance = allocated_variance + excluded.allocated_variance,"
      " free_variance = free_variance + excluded.free_variance, freed_variance = freed_variance + "
      "excluded.freed_variance";

constexpr const char *kHeapTickSql
    = "INSERT INTO heap_tick (tick, image, live_bytes, live_blocks, least_live_bytes, most_live_bytes, allocations,"
      " allocated_bytes, frees, freed_bytes, temporaries, unknown_frees) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET live_bytes = excluded.live_bytes, live_blocks = excluded.live_blocks,"
      " least_live_bytes = min(least_live_bytes, excluded.least_live_bytes),"
      " most_live_bytes = max(most_live_bytes, excluded.most_live_bytes), allocations = allocations + "
      "excluded.allocations,"
      " allocated_bytes = allocated_bytes + excluded.allocated_bytes, frees = frees + excluded.frees,"
      " freed_bytes = freed_bytes + excluded.freed_bytes, temporaries = temporaries + excluded.temporaries,"
      " unknown_frees = unknown_frees + excluded.unknown_frees";

constexpr const char *kHeapSizeSql
    = "INSERT INTO heap_size (tick, image, bin, allocations, bytes) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET allocations = allocations + excluded.allocations,"
      " bytes = bytes + excluded.bytes";

constexpr const char *kHeapLifetimeSql
    = "INSERT INTO heap_lifetime (tick, image, bin, frees, bytes) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET frees = frees + excluded.frees,"
      " bytes = bytes + excluded.bytes";

constexpr const char *kAreaTickSql
    = "INSERT INTO area_tick (tick, image, kind, name, live_bytes, live_blocks, most_live_bytes)"
      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET live_bytes = excluded.live_bytes,"
      " live_blocks = excluded.live_blocks, most_live_bytes = max(most_live_bytes, excluded.most_live_bytes)";

constexpr const char *kAreaSql
    = "INSERT INTO area (tick, image, kind, name, stack, allocations, allocated_bytes, frees, freed_bytes)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET allocations = allocations + excluded.allocations,"
      " allocated_bytes = allocated_bytes + excluded.allocated_bytes, frees = frees + excluded.frees,"
      " freed_bytes = freed_bytes + excluded.freed_bytes";

constexpr const char *kPartsSql
    = "INSERT OR REPLACE INTO memory_part (tick, process, heap_bytes, mapping_bytes, stack_bytes, file_bytes,"
      " shared_bytes, tracer_bytes, unknown_bytes, is_measured) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char *kAlertSql
    = "INSERT OR REPLACE INTO alert (id, revision, rule, source, condition, began_ns, fired_ns, ended_ns, value, worst,"
      " threshold, unit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char *kAgeClockSql
    = "INSERT OR REPLACE INTO age_clock (image, revision, origin_ns, bucket_ns, buckets, followed, too_many,"
      " period_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char *kStackAgeSql
    = "INSERT OR REPLACE INTO stack_age (image, stack, part, revision, first_bucket, bucket_ns, born, died, live_bytes,"
      " history) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char *kLeakClaimSql
    = "INSERT OR REPLACE INTO leak_claim (image, stack, part, revision, accused_ns, accused_of, alive, withdrawn_ns)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char *kActivitySql
    = "INSERT INTO activity (tick, thread, image, activity, stack, count, time_ns, errors, bytes, own_stacks, "
      "estimated)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count,"
      " time_ns = time_ns + excluded.time_ns, errors = errors + excluded.errors, bytes = bytes + excluded.bytes,"
      " own_stacks = own_stacks + excluded.own_stacks, estimated = estimated + excluded.estimated";

constexpr const char *kCpuSql
    = "INSERT INTO cpu (tick, thread, image, stack, period_ns, samples) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET samples = samples + excluded.samples";

} // namespace

bool isEmpty(const model::EventBatch &batch)
{
    return batch.span.isEmpty() && batch.metrics.empty() && batch.heap.empty() && batch.heapSampling.empty()
        && batch.heapTicks.empty() && batch.heapSizes.empty() && batch.heapLifetimes.empty() && batch.heapPeaks.empty()
        && batch.heapPeakRows.empty() && batch.ageClocks.empty() && batch.stackAges.empty() && batch.cpu.empty()
        && batch.losses.empty() && batch.marks.empty() && batch.gaps.empty() && batch.alerts.empty()
        && batch.phases.empty() && batch.areaTicks.empty() && batch.areas.empty() && batch.memoryParts.empty()
        && batch.scans.empty() && batch.heapModes.empty() && batch.leakClaims.empty() && batch.disk.empty()
        && batch.activities.empty();
}

model::Result<BatchWriter> BatchWriter::prepare(Database &database)
{
    BatchWriter writer;
    const std::string metrics = metricInsertSql();
    const auto done = prepareAll(database,
        {{&writer.m_tick,
             "INSERT INTO tick (id, level, begin_ns, end_ns, recorder_cpu_ns, recorder_rss_bytes) VALUES (?, ?, ?, ?, "
             "?, ?)"},
            {&writer.m_metric, metrics.c_str()}, {&writer.m_heap, kHeapSql}, {&writer.m_heapSampling, kHeapSamplingSql},
            {&writer.m_heapTick, kHeapTickSql}, {&writer.m_heapSize, kHeapSizeSql},
            {&writer.m_heapLifetime, kHeapLifetimeSql},
            {&writer.m_peak,
                "INSERT OR REPLACE INTO heap_peak (image, revision, when_ns, bytes, blocks) VALUES (?, ?, ?, ?, ?)"},
            {&writer.m_peakStack,
                "INSERT OR REPLACE INTO heap_peak_stack (image, stack, bytes, blocks) VALUES (?, ?, ?, ?)"},
            {&writer.m_peakStackGone, "DELETE FROM heap_peak_stack WHERE image = ? AND stack = ?"},
            {&writer.m_ageClock, kAgeClockSql}, {&writer.m_stackAge, kStackAgeSql}, {&writer.m_cpu, kCpuSql},
            {&writer.m_cpuTick, "INSERT INTO cpu_tick (tick, thread, samples, time_ns) VALUES (?, ?, ?, ?)"},
            {&writer.m_loss, "INSERT INTO loss (tick, kind, image, count, detail) VALUES (?, ?, ?, ?, ?)"},
            {&writer.m_mark, "INSERT INTO mark (when_ns, kind, text) VALUES (?, ?, ?)"},
            {&writer.m_gap, "INSERT INTO gap (begin_ns, end_ns, kind) VALUES (?, ?, ?)"}, {&writer.m_alert, kAlertSql},
            {&writer.m_phase,
                "INSERT OR REPLACE INTO phase (id, revision, thread, depth, name, begin_ns, end_ns) VALUES (?, ?, ?, "
                "?, "
                "?, ?, ?)"},
            {&writer.m_areaTick, kAreaTickSql}, {&writer.m_area, kAreaSql}, {&writer.m_parts, kPartsSql},
            {&writer.m_heapMode,
                "INSERT INTO heap_mode (image, when_ns, period_bytes, cause, live_bytes_before, live_blocks_before,"
                " live_bytes_after, live_blocks_after, live_variance) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
            {&writer.m_leakClaim, kLeakClaimSql}, {&writer.m_activity, kActivitySql},
            {&writer.m_disk, "INSERT OR REPLACE INTO session (key, value) VALUES ('disk', ?)"}});
    if (!done)
        return done.error();
    auto scans = ScanWriter::prepare(database);
    if (!scans)
        return scans.error();
    writer.m_scans = std::move(*scans);
    return writer;
}

model::Result<void> BatchWriter::write(const model::EventBatch &batch, std::int64_t tick, std::int64_t revision)
{
    m_rows.row(m_tick, tick, 0, batch.span.begin.ns, batch.span.end.ns, batch.recorderCpuNs, batch.recorderRssBytes);
    writeMetrics(batch, tick);
    writeHeapTicks(batch, tick);
    writeHeap(batch, tick);
    writePeaks(batch, revision);
    writeAges(batch, revision);
    writeCpu(batch, tick);
    writeEvents(batch, tick);
    writeAreas(batch, tick);
    for (const model::AlertEvent &alert : batch.alerts)
        m_rows.row(m_alert, alert.id, revision, alert.rule, alert.source, alert.condition, alert.began.ns,
            alert.fired.ns, nanoseconds(alert.ended), alert.value, alert.worst, alert.threshold,
            static_cast<int>(alert.unit));
    for (const model::Phase &phase : batch.phases)
        m_rows.row(
            m_phase, phase.id, revision, phase.thread, phase.depth, phase.name, phase.begin.ns, nanoseconds(phase.end));
    for (const model::MemoryScan &scan : batch.scans)
        m_scans.write(scan, m_rows);
    for (const model::LeakClaim &claim : batch.leakClaims)
        m_rows.row(m_leakClaim, claim.image, claim.stack, claim.part, revision, claim.accused.ns, claim.accusedOf,
            claim.alive, nanoseconds(claim.withdrawn));
    if (!batch.disk.empty())
        m_rows.row(m_disk, batch.disk);
    return m_rows.take();
}

void BatchWriter::writeMetrics(const model::EventBatch &batch, std::int64_t tick)
{
    for (const model::MetricsRow &row : batch.metrics) {
        m_metric.bindInteger(0, tick);
        m_metric.bindInteger(1, row.process.value);
        for (std::size_t i = 0; i < model::kMetricCount; ++i) {
            const int position = static_cast<int>(i) + 2;
            const auto value = row.values.get(static_cast<model::Metric>(i));
            value ? m_metric.bindInteger(position, *value) : m_metric.bindNull(position);
        }
        m_rows.row(m_metric);
    }
}

void BatchWriter::writeHeapTicks(const model::EventBatch &batch, std::int64_t tick)
{
    for (const model::HeapTick &heap : batch.heapTicks)
        m_rows.row(m_heapTick, tick, heap.image, heap.liveBytes, heap.liveBlocks, heap.leastLiveBytes,
            heap.mostLiveBytes, heap.allocations, heap.allocatedBytes, heap.frees, heap.freedBytes, heap.temporaries,
            heap.unknownFrees);
    for (const model::HeapSizeDelta &size : batch.heapSizes)
        m_rows.row(m_heapSize, tick, size.image, size.bin, size.allocations, size.bytes);
    for (const model::HeapLifetimeDelta &lifetime : batch.heapLifetimes)
        m_rows.row(m_heapLifetime, tick, lifetime.image, lifetime.bin, lifetime.frees, lifetime.bytes);
}

void BatchWriter::writeHeap(const model::EventBatch &batch, std::int64_t tick)
{
    for (const model::HeapDelta &heap : batch.heap)
        m_rows.row(m_heap, tick, heap.image, heap.stack, heap.periodBytes, heap.allocations, heap.allocatedBytes,
            heap.frees, heap.freedBytes, heap.temporaries, heap.temporaryBytes);
    for (const model::HeapSamplingDelta &row : batch.heapSampling)
        m_rows.row(m_heapSampling, tick, row.image, row.stack, row.periodBytes, row.sampling.samples,
            row.sampling.allocationVariance, row.sampling.allocatedVariance, row.sampling.freeVariance,
            row.sampling.freedVariance);
    for (const model::HeapModeChange &mode : batch.heapModes)
        m_rows.row(m_heapMode, mode.image, mode.when.ns, mode.periodBytes, static_cast<int>(mode.cause),
            mode.liveBytesBefore, mode.liveBlocksBefore, mode.liveBytesAfter, mode.liveBlocksAfter, mode.liveVariance);
}

void BatchWriter::writeCpu(const model::EventBatch &batch, std::int64_t tick)
{
    struct Sums
    {
        std::int64_t samples = 0, timeNs = 0;
    };
    std::map<model::ThreadId, Sums> threads;
    for (const model::CpuDelta &cpu : batch.cpu) {
        m_rows.row(m_cpu, tick, cpu.thread, cpu.image, cpu.stack, cpu.periodNs, cpu.samples);
        threads[cpu.thread].samples += cpu.samples;
        threads[cpu.thread].timeNs += cpu.samples * cpu.periodNs;
    }
    for (const auto &[thread, sums] : threads)
        m_rows.row(m_cpuTick, tick, thread, sums.samples, sums.timeNs);
    for (const model::ActivityDelta &row : batch.activities)
        m_rows.row(m_activity, tick, row.thread, row.image, row.activity.value, row.stack, row.count, row.timeNs,
            row.errors, row.bytes, row.ownStacks, row.estimated);
}

void BatchWriter::writeAreas(const model::EventBatch &batch, std::int64_t tick)
{
    for (const model::AreaTick &area : batch.areaTicks)
        m_rows.row(m_areaTick, tick, area.image, static_cast<int>(area.kind), area.name, area.liveBytes,
            area.liveBlocks, area.mostLiveBytes);
    for (const model::AreaDelta &area : batch.areas)
        m_rows.row(m_area, tick, area.image, static_cast<int>(area.kind), area.name, area.stack, area.allocations,
            area.allocatedBytes, area.frees, area.freedBytes);
    for (const model::MemoryPartsRow &parts : batch.memoryParts)
        m_rows.row(m_parts, tick, parts.process, parts.heap, parts.mappings, parts.stacks, parts.files, parts.shared,
            parts.tracer, parts.unknown, parts.isMeasured ? 1 : 0);
}

void BatchWriter::writePeaks(const model::EventBatch &batch, std::int64_t revision)
{
    for (const model::HeapPeak &peak : batch.heapPeaks)
        m_rows.row(m_peak, peak.image, revision, peak.when.ns, peak.bytes, peak.blocks);
    for (const model::HeapPeakRow &row : batch.heapPeakRows) {
        if (row.bytes == 0 && row.blocks == 0)
            m_rows.row(m_peakStackGone, row.image, row.stack);
        else
            m_rows.row(m_peakStack, row.image, row.stack, row.bytes, row.blocks);
    }
}

void BatchWriter::writeAges(const model::EventBatch &batch, std::int64_t revision)
{
    for (const model::AgeClock &clock : batch.ageClocks)
        m_rows.row(m_ageClock, clock.image, revision, clock.origin.ns, clock.bucket.ns, clock.buckets, clock.followed,
            clock.tooMany, clock.periodBytes);
    for (const model::StackAges &ages : batch.stackAges) {
        std::int64_t born = 0, died = 0;
        for (const model::AgeBucket &bucket : ages.buckets) {
            model::addWrapping(born, bucket.born);
            model::addWrapping(died, bucket.died);
        }
        const std::string history = encodeHistory(ages);
        m_rows.row(m_stackAge, ages.image, ages.stack, ages.part, revision, ages.firstBucket, ages.bucket.ns, born,
            died, ages.buckets.empty() ? 0 : ages.buckets.back().liveBytes, Blob{history});
    }
}

void BatchWriter::writeEvents(const model::EventBatch &batch, std::int64_t tick)
{
    for (const model::Loss &loss : batch.losses)
        m_rows.row(m_loss, tick, static_cast<int>(loss.kind), loss.image, loss.count, loss.detail);
    for (const model::Mark &mark : batch.marks)
        m_rows.row(m_mark, mark.when.ns, static_cast<int>(mark.kind), mark.text);
    for (const model::Gap &gap : batch.gaps)
        m_rows.row(m_gap, gap.span.begin.ns, gap.span.end.ns, static_cast<int>(gap.kind));
}

} // namespace storage
