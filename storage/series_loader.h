// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

#include <functional>
#include <string>

namespace storage {

/// Reads which levels are kept from when on; of files without levels all ticks are kept.
model::Result<void> loadLevels(Database &database, Damage &damage, std::int64_t format, LevelRows &levels);

/// Loads what is new of everything that is kept by tick and small: ticks and buckets, metrics, the heap's totals, sizes, CPU samples by
/// thread, peaks, losses, marks, gaps. Call after loadTables, with the session's levels as they are in the file. Returns the position of the
/// first new tick.
model::Result<std::size_t> loadSeries(LoadContext &context, LoadedSession &session);

/// Calls `row` for the rows of a table that is kept by tick which belong to the ticks that loadSeries() found: `select` is the query up to
/// its WHERE, with the tick as first column, `order` what it is ordered by behind the tick.
model::Result<void> scanByTick(LoadContext &context, std::string_view table, const std::string &select,
    const std::string &order, const std::function<void(const Statement &)> &row);

} // namespace storage
