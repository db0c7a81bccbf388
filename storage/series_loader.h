// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Loads what is new of everything that is kept by tick and small: ticks, metrics, the heap's totals, sizes, peaks, losses, marks, gaps.
/// Call after loadTables. Returns the position of the first new tick.
model::Result<std::size_t> loadSeries(LoadContext &context, LoadedSession &session);

} // namespace storage
