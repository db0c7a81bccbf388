// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Stacks of scans that are held; a scan has some thousand.
inline constexpr std::size_t kMostScannedStacks = 1'000'000;

/// Loads the scans for lost memory that are new; an older file has none. Call after loadTables. Of all that are loaded only the newest keep
/// their stacks and paths, as many as have `mostStacks` together; the others keep their sums, and their `limits` say so.
model::Result<void> loadScans(
    LoadContext &context, LoadedSession &session, std::size_t mostStacks = kMostScannedStacks);

} // namespace storage
