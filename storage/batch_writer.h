// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"
#include "storage/row_writer.h"
#include "storage/scan_writer.h"

namespace storage {

/// Writes the rows of an event batch. Two rows of a batch with the same key are added up.
class BatchWriter
{
public:
    /// Prepares the statements.
    static model::Result<BatchWriter> prepare(Database &database);

    /// Writes `batch` as the tick with this id, in the caller's transaction.
    model::Result<void> write(const model::EventBatch &batch, std::int64_t tick, std::int64_t revision);

private:
    void writeMetrics(const model::EventBatch &batch, std::int64_t tick);
    void writeHeap(const model::EventBatch &batch, std::int64_t tick);
    void writeHeapTicks(const model::EventBatch &batch, std::int64_t tick);
    void writePeaks(const model::EventBatch &batch, std::int64_t revision);
    void writeAges(const model::EventBatch &batch, std::int64_t revision);
    void writeEvents(const model::EventBatch &batch, std::int64_t tick);
    void writeCpu(const model::EventBatch &batch, std::int64_t tick);
    void writeAreas(const model::EventBatch &batch, std::int64_t tick);

    Statement m_tick, m_metric, m_heap, m_heapSampling, m_heapTick, m_heapSize, m_heapLifetime, m_peak, m_peakStack,
        m_peakStackGone, m_ageClock, m_stackAge, m_cpu, m_cpuTick, m_loss, m_mark, m_gap, m_alert, m_phase, m_areaTick,
        m_area, m_parts, m_heapMode, m_leakClaim, m_disk, m_activity;
    ScanWriter m_scans;
    RowWriter m_rows;
};

/// Whether a batch holds anything that needs a tick to stand in.
bool isEmpty(const model::EventBatch &batch);

} // namespace storage
