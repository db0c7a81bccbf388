// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "storage/row_writer.h"

namespace storage {

/// Of so many scans of an image, the newest, each stack and path stays.
inline constexpr int kWholeScans = 4;

/// Thins the scans that as many newer ones of their image follow, in the caller's transaction, so that scans every few minutes do not fill the
/// file: sums stay, and the stacks that lost anything; `limits` says so.
model::Result<void> thinScans(Database &database);

/// Writes scans for lost memory, in the caller's transaction, and thins older ones.
class ScanWriter
{
public:
    /// Prepares the statements; `database` must outlive this.
    static model::Result<ScanWriter> prepare(Database &database);

    void write(const model::MemoryScan &scan, RowWriter &rows);

private:
    Database *m_database = nullptr;
    Statement m_scan, m_stack, m_path, m_step;
};

} // namespace storage
