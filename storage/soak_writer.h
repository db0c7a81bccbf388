// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/soak_record.h"
#include "storage/row_writer.h"

namespace storage {

/// Writes what is new of a stability test, in the caller's transaction. Rows that are there already are replaced.
class SoakWriter
{
public:
    /// Prepares the statements.
    static model::Result<SoakWriter> prepare(Database &database);

    model::Result<void> write(const model::SoakRecord &soak, std::int64_t revision);

private:
    Statement m_plan, m_end, m_leg, m_load, m_point, m_exclusion, m_check;
    RowWriter m_rows;
};

} // namespace storage
