// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/damage.h"
#include "storage/loaded_session.h"

namespace storage {

/// Where an incremental load of a session stands, and what it needs.
struct LoadContext
{
    Database &database;
    Damage &damage;
    std::int64_t sinceRevision = -1;   ///< rows that this revision wrote, and earlier ones, are loaded already
    std::int64_t fileBytes = 0;        ///< bounds how many rows there can be, whatever their ids say
    bool isMore = false;               ///< ticks were loaded before
    std::vector<TickRange> newTicks{}; ///< the ticks and buckets that loadSeries() added to the list, level by level
};

/// Loads what is new in the tables of names, code and processes. Ids that point nowhere are mended: what comes out may be indexed without a
/// check, parents precede children, and no stack is deeper than kMostFrames.
model::Result<void> loadTables(LoadContext &context, LoadedSession &session);

/// Deepest stack that is read; deeper ones hang from StackEnd::Truncated.
inline constexpr std::uint32_t kMostFrames = 4096;

} // namespace storage
