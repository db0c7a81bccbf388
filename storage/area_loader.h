// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

#include <functional>

namespace storage {

/// Loads what is new of areas, phases and parts of the resident memory; an older file has none of them. Call after loadSeries;
/// `firstNewTick` is what that returned.
model::Result<void> loadAreas(LoadContext &context, LoadedSession &session, std::size_t firstNewTick);

/// Told of each row of area costs: position of its tick, (area, stack), costs.
using AreaRowHandler = std::function<void(std::size_t tick, const HeapKey &key, const HeapSums &sums)>;

/// Reads the area costs of the ticks [first, last) again; areas must be known.
model::Result<void> fetchAreas(Database &database, Damage &damage, LoadedSession &session, std::size_t first,
    std::size_t last, const AreaRowHandler &handler);

} // namespace storage
