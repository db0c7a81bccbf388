// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/table_builder.h"
#include "storage/row_writer.h"

namespace storage {

/// Appends what is new in a recorder's tables to the session, and rewrites rows that changed. Remembers how far it came; a write that
/// was rolled back is repeated by the next one.
class TableWriter
{
public:
    /// Prepares the statements.
    static model::Result<TableWriter> prepare(Database &database);

    /// Takes the changes from `tables` and writes them with everything that is new, in the caller's transaction.
    model::Result<void> write(model::TableBuilder &tables, std::int64_t revision);

    /// The transaction of the last write is in the file: do not write that again.
    void committed(const model::ProgramTables &tables);

private:
    void takeChanges(model::TableBuilder &tables);
    void writeNames(const model::ProgramTables &tables);
    void writeCode(const model::ProgramTables &tables, std::int64_t revision);
    void writeProcesses(const model::ProgramTables &tables, std::int64_t revision);

    struct Written
    {
        std::size_t strings = 0, modules = 0, frames = 0, lines = 0, stacks = 0;
    };

    Statement m_string, m_module, m_frame, m_line, m_stack, m_symbol, m_process, m_image, m_thread;
    RowWriter m_rows;
    Written m_written;
    model::TableBuilder::Changes m_changes; ///< not yet in the file
    std::vector<model::FrameId> m_symbols;  ///< not yet in the file
};

} // namespace storage
