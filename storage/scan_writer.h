// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/memory_scan.h"
#include "storage/row_writer.h"

namespace storage {

/// Of so many scans of an image, the newest, each stack and path stays.
inline constexpr int kWholeScans = 4;

/// Writes scans for lost memory, in the caller's transaction. With each one older scans of the same image are thinned, so that scans every few
/// minutes do not fill the file: sums stay, and the stacks that lost anything; `limits` says so.
class ScanWriter
{
public:
    /// Prepares the statements.
    static model::Result<ScanWriter> prepare(Database &database);

    void write(const model::MemoryScan &scan, RowWriter &rows);

private:
    void thinOlder(const model::MemoryScan &newest, RowWriter &rows);

    Statement m_scan, m_stack, m_path, m_step;
    Statement m_oldest, m_thin, m_dropPaths, m_dropSteps, m_say;
};

} // namespace storage
