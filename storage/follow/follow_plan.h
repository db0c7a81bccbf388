// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace storage {

/// How new rows of a table are found; follows from its columns, so that a table of a later version needs nothing here.
enum class FollowGrowth : std::uint8_t {
    ById,       ///< rows are added only: id INTEGER PRIMARY KEY
    ByScan,     ///< rows are added only, all of a scan at once: scan is the first column of the key
    ByRevision, ///< rows are changed too, and say in which transaction
    ByTick,     ///< rows of a tick are added with it; old ones expire
    Whole,      ///< small, or changed in any way: all rows when one changed
};

/// How a table is sent, and how much of it has been.
struct FollowPlan
{
    std::string name;
    FollowGrowth growth = FollowGrowth::Whole;
    int columns = 0;
    std::string keyName;  ///< the column by which rows are found: id, scan, revision or tick
    int keyColumn = 0;    ///< its position
    std::string kindName; ///< the column before the tick in the key; empty: there is none
    std::string
        ownerName;        ///< a table of that name before "_stack", whose `revision` tells when rows of this one change
    bool isMoved = false; ///< rows are moved or thinned out when a level is cut

    std::int64_t last = -1;                                              ///< key sent last
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> ticks; ///< by kind and level: tick sent last
    std::map<std::int64_t, std::int64_t> least;                          ///< by level: lowest tick that was there
    std::int64_t cutSeconds = -1; ///< how far levels had been cut, see FollowSource
    std::optional<std::int64_t> ownerRevision;
    std::size_t hash = 0; ///< of all rows as sent

    /// " WHERE ", with the condition for `kind` where the table is kept by kind.
    std::string whereKind(std::int64_t kind) const
    {
        return kindName.empty() ? " WHERE " : " WHERE " + kindName + " = " + std::to_string(kind) + " AND ";
    }
};

/// The plans for the tables of a format: what others refer to first, and last those that are compared as a whole.
model::Result<std::vector<FollowPlan>> followPlans(int version);

} // namespace storage
