// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/packed_costs.h"
#include "storage/table_loader.h"

#include <functional>

namespace storage {

/// Where packed costs stand: of buckets, or from the begin to the end of a bucket.
enum class PackedTable { Cost, Total };

/// Calls `row` for each row of a kind in the buckets of a range. Blobs that are damaged count as far as they can be read.
model::Result<void> fetchPacked(Database &database, Damage &damage, PackedTable table, PackedKind kind,
    TickRange buckets, const std::function<void(const PackedRow &)> &row);

/// The totals of a kind that stand in the file, as ids of the buckets after which they are, ascending; those above `after`.
model::Result<std::vector<std::int64_t>> storedTotals(
    Database &database, Damage &damage, PackedKind kind, std::int64_t after);

} // namespace storage
