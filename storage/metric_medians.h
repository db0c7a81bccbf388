// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/metrics.h"
#include "storage/levels.h"
#include "storage/row_writer.h"

namespace storage {

/// Stores, for a bucket, the median of each metric of each process over the ticks in which it could be read (of an even number the upper
/// one in the middle): an outlier of a second does not count, and what is stored was measured.
class MetricMedians
{
public:
    static model::Result<MetricMedians> prepare(Database &database);

    /// Writes the rows of bucket `id` from those of `ticks`, in the caller's transaction.
    model::Result<void> write(std::int64_t id, BucketIds ticks);

private:
    Statement m_select, m_insert;
};

/// The columns of the table `metric` in a file of version `format`: `tick, process` and the keys of model::kMetrics, NULL for those that
/// came later.
std::string metricColumns(std::int64_t format);

/// The statement that stores a row of it.
std::string metricInsertSql();

} // namespace storage
