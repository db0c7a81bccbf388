// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "storage/row_writer.h"

namespace storage {

/// Writes scans for lost memory, in the caller's transaction.
class ScanWriter
{
public:
    /// Prepares the statements.
    static model::Result<ScanWriter> prepare(Database &database);

    void write(const model::MemoryScan &scan, RowWriter &rows);

private:
    Statement m_scan, m_stack, m_path, m_step;
};

} // namespace storage
