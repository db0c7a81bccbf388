// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/packed_loader.h"

#include <string>

namespace storage {

using model::Result;

Result<void> fetchPacked(Database &database, Damage &damage, PackedTable table, PackedKind kind, TickRange buckets,
    const std::function<void(const PackedRow &)> &handler)
{
    const char *name = table == PackedTable::Cost ? "packed_cost" : "packed_total";
    const std::string sql = std::string("SELECT tick, data FROM ") + name
        + " WHERE tick > ? AND tick <= " + std::to_string(buckets.last)
        + " AND kind = " + std::to_string(static_cast<int>(kind)) + " ORDER BY tick, part";
    return scan(database, damage, name, sql, buckets.first - 1, [&](const Statement &statement) {
        PackedReader reader(kind, statement.blob(1));
        for (PackedRow row; reader.next(row);)
            handler(row);
        if (!reader.isWhole())
            damage.badRow(name);
    });
}

Result<std::vector<std::int64_t>> storedTotals(Database &database, Damage &damage, PackedKind kind, std::int64_t after)
{
    std::vector<std::int64_t> ids;
    const auto done = scan(database, damage, "packed_total",
        "SELECT tick FROM packed_total WHERE tick > ? AND kind = " + std::to_string(static_cast<int>(kind))
            + " AND part = 0 ORDER BY tick",
        after, [&ids](const Statement &row) { ids.push_back(row.integer(0)); });
    if (!done)
        return done.error();
    return ids;
}

} // namespace storage
