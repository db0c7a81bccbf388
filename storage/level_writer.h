// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/levels.h"
#include "storage/metric_medians.h"
#include "storage/packed_costs.h"
#include "storage/row_writer.h"

namespace storage {

/// Writes the buckets of the levels above the ticks, each when the first tick behind it comes, from what the file holds already: the
/// recorder keeps nothing of them in memory.
class LevelWriter
{
public:
    /// Prepares the statements. With a budget the buckets that totals are made of do not last.
    static model::Result<LevelWriter> prepare(Database &database, bool hasBudget);

    /// Whether a tick that begins at `begin` ends a bucket.
    bool closesBefore(model::Timestamp begin) const;

    /// Writes the buckets that a tick beginning at `begin` ends, in the caller's transaction; the last tick in the file is `lastTick`.
    model::Result<void> closeBefore(model::Timestamp begin, std::int64_t lastTick);

    /// The tick `tick`, which begins at `begin`, is in the file, and what closeBefore() wrote before it.
    void committed(model::Timestamp begin, std::int64_t tick);

private:
    /// A bucket that ticks are still added to.
    struct Open
    {
        std::int64_t id = 0; ///< 0: none
        std::int64_t firstTick = 0;
    };

    model::Result<void> close(std::size_t level, std::int64_t lastTick);
    model::Result<void> packCosts(PackedKind kind, std::size_t level, BucketIds children);
    model::Result<void> addTickRows(PackedKind kind, BucketIds ticks, PackedCosts &costs);
    model::Result<void> addPacked(Statement &select, PackedKind kind, BucketIds buckets, PackedCosts &costs);
    model::Result<std::int64_t> store(Statement &insert, PackedKind kind, std::int64_t id, PackedCosts &costs);
    model::Result<void> writeTotals(std::int64_t id);
    model::Result<void> writeTotal(PackedKind kind, std::int64_t id);

    std::array<Open, kLevelCount> m_open;
    bool m_hasBudget = false;
    std::vector<Statement> m_sums; ///< each makes one table's rows of a bucket: (bucket, first child, last child)
    std::array<Statement, kPackedKinds.size()> m_tickCosts; ///< by kind
    Statement m_packed, m_total, m_insertPacked, m_insertTotal, m_lastTotal, m_packedBytes, m_totalBytes;
    MetricMedians m_medians;
};

} // namespace storage
