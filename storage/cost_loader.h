// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

#include <functional>

namespace storage {

using HeapRowHandler = std::function<void(std::size_t tick, const HeapKey &key, const HeapSums &sums)>;
using SamplingRowHandler = std::function<void(std::size_t tick, const HeapKey &key, const SamplingSums &sums)>;
using ActivityRowHandler = std::function<void(std::size_t tick, const ActivityKey &key, const ActivitySums &sums)>;
using CpuRowHandler = std::function<void(std::size_t tick, const CpuKey &key, const CpuSums &sums)>;

/// Calls `row` for the heap costs of the positions [first, last), as few rows as there are: those of ticks with the position, those of longer
/// buckets with position 0. Ids are checked and mended the same way each time, so that what is fetched twice cancels out. `session` is what
/// loadTables and loadSeries filled.
model::Result<void> fetchHeap(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const HeapRowHandler &row);

/// The same for how sure they are; no rows in files of version 1, which cannot have any.
model::Result<void> fetchSampling(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const SamplingRowHandler &row);

/// The same for CPU costs.
model::Result<void> fetchCpu(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const CpuRowHandler &row);

/// The same for system calls and waits; no rows in files from before version 13.
model::Result<void> fetchActivity(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const ActivityRowHandler &row);

/// The sums of costs over the positions [0, end), by the slots of the session's sums.
model::Result<void> heapUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::heap)::Shared &values);
model::Result<void> samplingUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::heapSampling)::Shared &values);
model::Result<void> cpuUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::cpu)::Shared &values);

model::Result<void> activityUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::activity)::Shared &values);

/// Takes note of what is new in the costs from position `firstNewTick` on: of totals in the file, and in files without levels of all rows,
/// which are added to the session's sums.
model::Result<void> loadCosts(LoadContext &context, LoadedSession &session, std::size_t firstNewTick);

} // namespace storage
