// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/event_batch.h"
#include "model/tables/program_tables.h"

#include <map>
#include <optional>

namespace model {

/// Whether a source is what is live on the heap, which is an estimate where blocks are sampled.
bool isHeapLevel(const SeriesSource &source);

/// What alert rules look at, kept up to date tick by tick: the newest value of each source, over all processes. One thread.
class AlertInputs
{
public:
    /// Takes a tick in. Ticks come in their order; `tables` is as of its end.
    void add(const EventBatch &batch, const ProgramTables &tables);

    /// The value at the end of the last tick, in the source's unit; empty while it is unknown (never read, or of no process any more).
    std::optional<double> value(const SeriesSource &source) const;

    /// What ends the process: the least of the control group's limit and what is available plus what is resident. Bytes.
    std::optional<double> memoryLimit() const;

private:
    TimeRange m_span;
    std::map<std::uint32_t, MetricValues> m_metrics; ///< of the processes of the last tick, missing ones carried on
    std::map<std::uint32_t, HeapTick> m_heap; ///< last tick of each image that lives; rates only of the last tick
    std::optional<std::int64_t> m_sampledNs;
};

} // namespace model
