// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/living_series.h"
#include "model/aggregate/time_series.h"
#include "model/event_batch.h"
#include "model/tables/program_tables.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace model {

/// Whether a source is what is live on the heap, which is an estimate where blocks are sampled.
bool isHeapLevel(const SeriesSource &source);

/// What alert rules look at, kept up to date tick by tick: the newest value of each source, over all processes. One thread.
class AlertInputs
{
public:
    /// Takes a tick in. Ticks come in their order; `tables` is as of its end.
    void add(const EventBatch &batch, const ProgramTables &tables);

    /// The value at the end of the last tick, in the source's unit; empty while it is unknown (never read, or of no process any more). A level is of
    /// those that live then and of those that ended in the tick as far as they lived at the same time: the most that there was together.
    std::optional<double> value(const SeriesSource &source) const;

    /// A quantity and what binds it.
    struct Limited
    {
        double value = 0;
        double limit = 0; ///< above 0
    };
    /// The value with its limit, as knownLimit() finds it in a recording; where each process has its own, of the one that is nearest to it.
    std::optional<Limited> limited(const SeriesSource &source) const;

    /// What the scans of the last tick found definitely lost at stacks that had lost none before.
    struct NewLoss
    {
        std::int64_t bytes = 0;
        std::int64_t stacks = 0;
        std::uint32_t scan = 0; ///< id of the last of these scans
    };
    /// Empty if no scan was finished in the last tick.
    const std::optional<NewLoss> &newLoss() const { return m_newLoss; }

private:
    TimeRange m_span;
    std::map<std::uint32_t, MetricValues> m_metrics; ///< of the processes of the last tick, missing ones carried on
    std::vector<LivingSeries::Span> m_lives;         ///< of the same, in that order
    std::map<std::uint32_t, HeapTick> m_heap; ///< last tick of each image that lives; rates only of the last tick
    std::optional<std::int64_t> m_sampledNs;
    std::set<std::pair<std::uint32_t, std::uint32_t>> m_lossy; ///< (image, stack) that lost anything in a scan
    std::optional<NewLoss> m_newLoss;

    std::optional<double> memoryLimit() const;
    std::optional<double> level(Metric metric) const;
    void takeLives(const ProgramTables &tables);
    void takeScans(const EventBatch &batch);
};

} // namespace model
