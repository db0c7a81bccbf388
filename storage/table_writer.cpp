// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/table_writer.h"

#include <algorithm>

namespace storage {

namespace {

/// Adds what is not there yet; the result is ascending.
template <typename IdType> void merge(std::vector<IdType> &into, const std::vector<IdType> &more)
{
    into.insert(into.end(), more.begin(), more.end());
    std::sort(into.begin(), into.end());
    into.erase(std::unique(into.begin(), into.end()), into.end());
}

} // namespace

model::Result<TableWriter> TableWriter::prepare(Database &database)
{
    TableWriter writer;
    const auto done = prepareAll(database,
        {{&writer.m_string, "INSERT INTO string (id, text) VALUES (?, ?)"},
            {&writer.m_module, "INSERT INTO module (id, path, build_id, kind) VALUES (?, ?, ?, ?)"},
            {&writer.m_frame, "INSERT INTO frame (id, module, address, kind) VALUES (?, ?, ?, ?)"},
            {&writer.m_line, "INSERT INTO line (id, function, file, line) VALUES (?, ?, ?, ?)"},
            {&writer.m_stack, "INSERT INTO stack (id, parent, frame) VALUES (?, ?, ?)"},
            {&writer.m_symbol,
                "INSERT OR REPLACE INTO symbol (frame, revision, state, first_line, line_count) VALUES (?, ?, ?, ?, "
                "?)"},
            {&writer.m_process,
                "INSERT OR REPLACE INTO process (id, revision, pid, parent, start_ns, end_ns, wait_status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"},
            {&writer.m_image,
                "INSERT OR REPLACE INTO image (id, revision, process, epoch, executable, command_line, start_ns, "
                "end_ns,"
                " heap_state, heap_note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
            {&writer.m_thread,
                "INSERT OR REPLACE INTO thread (id, revision, process, tid, name, start_ns, end_ns)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"}});
    if (!done)
        return done.error();
    return writer;
}

model::Result<void> TableWriter::write(model::TableBuilder &builder, std::int64_t revision)
{
    takeChanges(builder);
    const model::ProgramTables &tables = builder.tables();
    writeNames(tables);
    writeCode(tables, revision);
    writeProcesses(tables, revision);
    return m_rows.take();
}

void TableWriter::committed(const model::ProgramTables &tables)
{
    m_written = {
        tables.strings.size(), tables.modules.size(), tables.frames.size(), tables.lines.size(), tables.stacks.size()};
    m_changes = {};
    m_symbols.clear();
}

void TableWriter::takeChanges(model::TableBuilder &builder)
{
    const model::TableBuilder::Changes changes = builder.takeChanges();
    merge(m_changes.processes, changes.processes);
    merge(m_changes.images, changes.images);
    merge(m_changes.threads, changes.threads);
    merge(m_symbols, builder.takeNewSymbols());
}

void TableWriter::writeNames(const model::ProgramTables &tables)
{
    for (std::size_t i = m_written.strings; i < tables.strings.size(); ++i)
        m_rows.row(m_string, i, std::string_view(tables.strings[i]));
    for (std::size_t i = m_written.modules; i < tables.modules.size(); ++i) {
        const model::Module &module = tables.modules[i];
        m_rows.row(m_module, i, module.path, module.buildId, static_cast<int>(module.kind));
    }
}

void TableWriter::writeCode(const model::ProgramTables &tables, std::int64_t revision)
{
    for (std::size_t i = m_written.frames; i < tables.frames.size(); ++i) {
        const model::Frame &frame = tables.frames[i];
        m_rows.row(m_frame, i, frame.module, frame.address, static_cast<int>(frame.kind));
    }
    for (std::size_t i = m_written.lines; i < tables.lines.size(); ++i) {
        const model::SourceLine &line = tables.lines[i];
        m_rows.row(m_line, i, line.function, line.file, line.line);
    }
    for (std::size_t i = m_written.stacks; i < tables.stacks.size(); ++i)
        m_rows.row(m_stack, i, tables.stacks[i].parent, tables.stacks[i].frame);
    for (const model::FrameId frame : m_symbols) {
        const model::FrameSymbols &symbols = tables.symbols.at(frame.index());
        m_rows.row(m_symbol, frame, revision, static_cast<int>(symbols.state), symbols.first, symbols.count);
    }
}

void TableWriter::writeProcesses(const model::ProgramTables &tables, std::int64_t revision)
{
    for (const model::ProcessId id : m_changes.processes) {
        const model::Process &process = tables.processes.at(id.index());
        m_rows.row(m_process, id, revision, process.pid, process.parent, process.start.ns, nanoseconds(process.end),
            process.waitStatus);
    }
    for (const model::ImageId id : m_changes.images) {
        const model::Image &image = tables.images.at(id.index());
        m_rows.row(m_image, id, revision, image.process, image.epoch, image.executable, image.commandLine,
            image.start.ns, nanoseconds(image.end), static_cast<int>(image.heap), image.heapNote);
    }
    for (const model::ThreadId id : m_changes.threads) {
        const model::Thread &thread = tables.threads.at(id.index());
        m_rows.row(
            m_thread, id, revision, thread.process, thread.tid, thread.name, thread.start.ns, nanoseconds(thread.end));
    }
}

} // namespace storage
