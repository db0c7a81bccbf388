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

/// Reads the area costs of the positions [first, last), as fetchHeap() does.
model::Result<void> fetchAreas(Database &database, Damage &damage, LoadedSession &session, std::size_t first,
    std::size_t last, const AreaRowHandler &handler);

/// Their sums over the positions [0, end), by the slots of the session's sums.
model::Result<void> areasUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::areaCosts)::Shared &values);

} // namespace storage
