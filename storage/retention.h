// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/capture_config.h"
#include "storage/levels.h"
#include "storage/packed_costs.h"
#include "storage/row_writer.h"

#include <optional>
#include <vector>

namespace storage {

/// Lets the finer levels of a session that is being written expire by age: ticks after an hour, 10 s after 8 hours, minutes after a day. Ten
/// minutes, medians of minutes and the totals stay. Where a budget asks for it, all of them expire earlier, those of ten minutes and of an hour
/// too, and with ten minutes the medians and totals between; the newest is always there tick by tick. Readers are told by the table `level` at
/// once, without a budget in steps of at least ten minutes; the rows go little by little, so that no tick is held up.
class Retention
{
public:
    static model::Result<Retention> prepare(Database &database, std::optional<model::ByteBudget> budget);

    /// Declares and removes what is too old at `now`, in the caller's transaction.
    model::Result<void> step(Database &database, model::Timestamp now);

    /// The transaction of the last step() is in the file. Without this the next step begins where the last one did.
    void committed()
    {
        m_state = m_next;
        m_lastStepNs = m_stepNs;
    }

private:
    struct Level
    {
        std::int64_t keepNs = 0;
        std::int64_t keptFromNs = 0;
        std::int64_t removedTo = 0; ///< rows of this id and below are gone
    };
    using State = std::array<Level, kLevelCount - 1>;

    struct Projection
    {
        std::int64_t usedBytes = 0; ///< now, without pages that are free
        std::int64_t endBytes = 0;  ///< at the end of the budget's period
        std::array<std::int64_t, kLevelCount - 1> levelBytes{};
    };

    bool isRemoving() const;
    model::Result<Projection> project(Database &database, model::Timestamp now);
    model::Result<void> shorten(Database &database, model::Timestamp now);
    model::Result<void> declare(std::size_t level, model::Timestamp now);
    model::Result<void> thinTotals(std::size_t coarser, std::int64_t keptFromNs);
    model::Result<void> moveLosses(std::size_t level, std::int64_t fromNs, std::int64_t toNs);
    model::Result<void> remove(std::size_t level);
    model::Result<void> removeTicks(BucketIds ticks);
    model::Result<void> removeBuckets(std::size_t level, BucketIds buckets);
    static model::Result<std::int64_t> single(Statement &statement);

    std::optional<model::ByteBudget> m_budget;
    State m_state, m_next;
    std::int64_t m_stepNs = 0, m_lastStepNs = 0; ///< when this step and the last one were made
    std::int64_t m_nextLookNs = 0;               ///< at the size
    std::vector<Statement> m_fold, m_dropTicks, m_dropBuckets;
    Statement m_lastBucketBefore, m_setLevel, m_moveLosses, m_dropLosses, m_firstTicks, m_dropPacked, m_dropMetrics,
        m_dropTickRows, m_packedBytes, m_totalBytes, m_totals, m_bytesBetween, m_dropTotal;
};

} // namespace storage
