// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

#include <functional>

namespace storage {

using HeapRowHandler = std::function<void(std::size_t tick, const HeapKey &key, const HeapSums &sums)>;
using SamplingRowHandler = std::function<void(std::size_t tick, const HeapKey &key, const SamplingSums &sums)>;
using CpuRowHandler = std::function<void(std::size_t tick, const CpuKey &key, const CpuSums &sums)>;

/// Calls `row` for each heap cost of the ticks at positions [first, last), in order of ticks. Ids are checked and mended the same way
/// each time, so that what is fetched twice cancels out. `session` is what loadTables and loadSeries filled.
model::Result<void> fetchHeap(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const HeapRowHandler &row);

/// The same for how sure they are; no rows in files of version 1, which cannot have any.
model::Result<void> fetchSampling(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const SamplingRowHandler &row);

/// The same for CPU costs.
model::Result<void> fetchCpu(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const CpuRowHandler &row);

/// Adds the costs of the ticks from position `firstNewTick` on to the session's sums.
model::Result<void> loadCosts(LoadContext &context, LoadedSession &session, std::size_t firstNewTick);

} // namespace storage
