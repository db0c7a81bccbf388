// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/table_loader.h"

#include <limits>

namespace storage {

namespace {

using model::ProgramTables;
using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;

/// What stands for a row that was lost: all its ids may be followed.
template <typename Row> Row emptyRow() { return Row{}; }
template <> model::Module emptyRow() { return {model::StringId(0u), model::StringId(0u), model::ModuleKind::Unknown}; }
template <> model::Frame emptyRow() { return {model::ModuleId(0u), 0, model::FrameKind::ReturnAddress}; }
template <> model::SourceLine emptyRow() { return {model::StringId(0u), model::StringId(0u), 0}; }
template <> model::StackNode emptyRow()
{
    return {model::StackId(static_cast<std::uint32_t>(model::StackEnd::Unreadable)), model::FrameId(0u)};
}
template <> model::Image emptyRow()
{
    model::Image image;
    image.process = model::ProcessId(0u);
    image.executable = image.commandLine = image.heapNote = model::StringId(0u);
    return image;
}
template <> model::Thread emptyRow()
{
    model::Thread thread;
    thread.process = model::ProcessId(0u);
    thread.name = model::StringId(0u);
    return thread;
}

/// Loads into tables that viewers may share: copies them before the first change.
class TableLoader
{
public:
    TableLoader(LoadContext &context, LoadedSession &session)
        : m_context(context)
        , m_session(session)
    {
    }

    Result<void> load()
    {
        using Step = Result<void> (TableLoader::*)();
        for (const Step step : {&TableLoader::strings, &TableLoader::modules, &TableLoader::processes,
                 &TableLoader::images, &TableLoader::threads, &TableLoader::frames, &TableLoader::stacks,
                 &TableLoader::lines, &TableLoader::symbols})
            if (auto done = (this->*step)(); !done)
                return done;
        return {};
    }

private:
    Result<void> strings();
    Result<void> modules();
    Result<void> processes();
    Result<void> images();
    Result<void> threads();
    Result<void> frames();
    Result<void> stacks();
    Result<void> lines();
    Result<void> symbols();
    void addStack(const Statement &row);

    const ProgramTables &tables() const { return *m_session.tables; }

    ProgramTables &edit()
    {
        if (m_session.tables.use_count() > 1)
            m_session.tables = std::make_shared<ProgramTables>(*m_session.tables);
        return *m_session.tables;
    }

    Result<void> scanTable(std::string_view table, std::string_view sql, std::int64_t after,
        const std::function<void(const Statement &)> &row)
    {
        return scan(m_context.database, m_context.damage, table, sql, after, row);
    }

    /// What a row written since the last time has to meet. Such rows are read in the order of their ids: the highest revision says nothing of
    /// where reading goes on behind a damaged page.
    std::string isChanged(std::string_view key) const
    {
        return " WHERE " + std::string(key) + " > ? AND revision > " + std::to_string(m_context.sinceRevision)
            + " ORDER BY " + std::string(key);
    }

    /// Makes room for row `id` of an append-only table; false when the id cannot be right. Ids that were lost get empty rows.
    template <typename Row> bool makeRoom(std::string_view table, std::vector<Row> &rows, std::int64_t id)
    {
        const auto size = static_cast<std::int64_t>(rows.size());
        // A row takes some bytes, so there are fewer of them than bytes in the file.
        constexpr std::int64_t kLeastRowBytes = 6;
        const std::int64_t most
            = std::min<std::int64_t>(m_context.fileBytes / kLeastRowBytes, model::StringId::kInvalid - 1);
        if (id < 0 || id > most) {
            m_context.damage.badRow(table);
            return false;
        }
        if (id > size)
            m_context.damage.unreadable(table);
        if (id >= size)
            rows.resize(static_cast<std::size_t>(id) + 1, emptyRow<Row>());
        return true;
    }

    /// The number in a column, or `otherwise` when it is out of [0, end).
    std::uint32_t bounded(
        std::string_view table, const Statement &row, int column, std::size_t end, std::uint32_t otherwise)
    {
        const std::int64_t value = row.integer(column);
        if (row.isInteger(column) && value >= 0 && static_cast<std::uint64_t>(value) < end)
            return static_cast<std::uint32_t>(value);
        m_context.damage.badRow(table);
        return otherwise;
    }

    model::StringId text(std::string_view table, const Statement &row, int column)
    {
        return model::StringId(bounded(table, row, column, tables().strings.size(), 0));
    }

    template <typename Enum>
    Enum enumerator(std::string_view table, const Statement &row, int column, Enum last, Enum otherwise)
    {
        return static_cast<Enum>(
            bounded(table, row, column, static_cast<std::size_t>(last) + 1, static_cast<std::uint32_t>(otherwise)));
    }

    static model::Timestamp time(const Statement &row, int column)
    {
        return {std::clamp<std::int64_t>(row.integer(column), 0, kLongestNs)};
    }

    static std::optional<model::Timestamp> maybeTime(const Statement &row, int column)
    {
        return row.isNull(column) ? std::nullopt : std::optional(time(row, column));
    }

    LoadContext &m_context;
    LoadedSession &m_session;
};

/// The key of the last row of an append-only table.
template <typename Rows> std::int64_t lastKey(const Rows &rows) { return static_cast<std::int64_t>(rows.size()) - 1; }

Result<void> TableLoader::strings()
{
    // Row 0 is the empty text and in the tables from the start.
    return scanTable("string", "SELECT id, text FROM string WHERE id > ? ORDER BY id", lastKey(tables().strings),
        [this](const Statement &row) {
            if (makeRoom("string", edit().strings, row.integer(0)))
                edit().strings[static_cast<std::size_t>(row.integer(0))] = std::string(row.text(1));
        });
}

Result<void> TableLoader::modules()
{
    return scanTable("module", "SELECT id, path, build_id, kind FROM module WHERE id > ? ORDER BY id",
        lastKey(tables().modules), [this](const Statement &row) {
            if (!makeRoom("module", edit().modules, row.integer(0)))
                return;
            model::Module &module = edit().modules[static_cast<std::size_t>(row.integer(0))];
            module.path = text("module", row, 1);
            module.buildId = text("module", row, 2);
            module.kind = enumerator("module", row, 3, model::ModuleKind::Unknown, model::ModuleKind::Unknown);
        });
}

Result<void> TableLoader::processes()
{
    std::vector<std::pair<std::int64_t, std::int64_t>> parents;
    auto done
        = scanTable("process", "SELECT id, pid, parent, start_ns, end_ns, wait_status FROM process" + isChanged("id"),
            -1, [this, &parents](const Statement &row) {
                if (!makeRoom("process", edit().processes, row.integer(0)))
                    return;
                model::Process &process = edit().processes[static_cast<std::size_t>(row.integer(0))];
                process.pid = static_cast<std::int32_t>(row.integer(1));
                process.parent = {};
                if (!row.isNull(2))
                    parents.emplace_back(row.integer(0), row.integer(2));
                process.start = time(row, 3);
                process.end = maybeTime(row, 4);
                process.waitStatus.reset();
                if (!row.isNull(5))
                    process.waitStatus = static_cast<int>(row.integer(5) & 0xffff);
            });
    // A child may have been seen before its parent, so parents are checked when all processes are there.
    for (const auto &[id, parent] : parents) {
        if (parent >= 0 && static_cast<std::uint64_t>(parent) < tables().processes.size() && parent != id)
            edit().processes[static_cast<std::size_t>(id)].parent
                = model::ProcessId(static_cast<std::uint32_t>(parent));
        else
            m_context.damage.badRow("process");
    }
    return done;
}

Result<void> TableLoader::images()
{
    return scanTable("image",
        "SELECT id, process, epoch, executable, command_line, start_ns, end_ns, heap_state, heap_note FROM image"
            + isChanged("id"),
        -1, [this](const Statement &row) {
            if (tables().processes.empty() || !makeRoom("image", edit().images, row.integer(0)))
                return m_context.damage.badRow("image");
            model::Image &image = edit().images[static_cast<std::size_t>(row.integer(0))];
            image.process = model::ProcessId(bounded("image", row, 1, tables().processes.size(), 0));
            image.epoch = static_cast<std::uint32_t>(row.integer(2));
            image.executable = text("image", row, 3);
            image.commandLine = text("image", row, 4);
            image.start = time(row, 5);
            image.end = maybeTime(row, 6);
            image.heap = enumerator("image", row, 7, model::HeapState::Attached, model::HeapState::Off);
            image.heapNote = text("image", row, 8);
        });
}

Result<void> TableLoader::threads()
{
    return scanTable("thread", "SELECT id, process, tid, name, start_ns, end_ns FROM thread" + isChanged("id"), -1,
        [this](const Statement &row) {
            if (tables().processes.empty() || !makeRoom("thread", edit().threads, row.integer(0)))
                return m_context.damage.badRow("thread");
            model::Thread &thread = edit().threads[static_cast<std::size_t>(row.integer(0))];
            thread.process = model::ProcessId(bounded("thread", row, 1, tables().processes.size(), 0));
            thread.tid = static_cast<std::int32_t>(row.integer(2));
            thread.name = text("thread", row, 3);
            thread.start = time(row, 4);
            thread.end = maybeTime(row, 5);
        });
}

Result<void> TableLoader::frames()
{
    auto done = scanTable("frame", "SELECT id, module, address, kind FROM frame WHERE id > ? ORDER BY id",
        lastKey(tables().frames), [this](const Statement &row) {
            if (tables().modules.empty() || !makeRoom("frame", edit().frames, row.integer(0)))
                return m_context.damage.badRow("frame");
            model::Frame &frame = edit().frames[static_cast<std::size_t>(row.integer(0))];
            frame.module = model::ModuleId(bounded("frame", row, 1, tables().modules.size(), 0));
            frame.address = static_cast<std::uint64_t>(row.integer(2));
            frame.kind = enumerator("frame", row, 3, model::FrameKind::ReturnAddress, model::FrameKind::ReturnAddress);
        });
    if (tables().symbols.size() == tables().frames.size())
        return done;
    edit().symbols.resize(tables().frames.size());
    return done;
}

void TableLoader::addStack(const Statement &row)
{
    const std::int64_t id = row.integer(0);
    if (id < model::kStackEndCount)
        return; // the roots are in the tables from the start
    std::vector<model::StackNode> &stacks = edit().stacks;
    if (!makeRoom("stack", stacks, id))
        return;
    const model::StackId unreadable(static_cast<std::uint32_t>(model::StackEnd::Unreadable));
    const auto index = static_cast<std::size_t>(id);
    m_session.stackDepths.resize(stacks.size(), 1);
    model::StackId parent(bounded("stack", row, 1, index, unreadable.value));
    if (m_session.stackDepths[parent.index()] >= kMostFrames) {
        m_context.damage.badRow("stack");
        parent = model::StackId(static_cast<std::uint32_t>(model::StackEnd::Truncated));
    }
    stacks[index] = {parent, model::FrameId(bounded("stack", row, 2, tables().frames.size(), 0))};
    m_session.stackDepths[index] = m_session.stackDepths[parent.index()] + 1;
}

Result<void> TableLoader::stacks()
{
    m_session.stackDepths.resize(tables().stacks.size(), 0);
    return scanTable("stack", "SELECT id, parent, frame FROM stack WHERE id > ? ORDER BY id", lastKey(tables().stacks),
        [this](const Statement &row) {
            // Without a single frame no node can say where it is.
            if (!tables().frames.empty())
                addStack(row);
            else if (row.integer(0) >= model::kStackEndCount)
                m_context.damage.badRow("stack");
        });
}

Result<void> TableLoader::lines()
{
    return scanTable("line", "SELECT id, function, file, line FROM line WHERE id > ? ORDER BY id",
        lastKey(tables().lines), [this](const Statement &row) {
            if (!makeRoom("line", edit().lines, row.integer(0)))
                return;
            model::SourceLine &line = edit().lines[static_cast<std::size_t>(row.integer(0))];
            line.function = text("line", row, 1);
            line.file = text("line", row, 2);
            line.line = bounded("line", row, 3, std::numeric_limits<std::uint32_t>::max(), 0);
        });
}

Result<void> TableLoader::symbols()
{
    // Functions are named at the end, all in one transaction, so a whole table is read by frames; what is new of it by its index.
    const bool isWhole = m_context.sinceRevision < 0;
    return scanTable("symbol",
        isWhole ? "SELECT frame, frame, state, first_line, line_count FROM symbol WHERE frame > ? ORDER BY frame"
                : "SELECT revision, frame, state, first_line, line_count FROM symbol WHERE revision > ?"
                  " ORDER BY revision, frame",
        m_context.sinceRevision, [this](const Statement &row) {
            using State = model::FrameSymbols::State;
            const std::int64_t frame = row.integer(1), first = row.integer(3), count = row.integer(4);
            const auto lineCount = static_cast<std::int64_t>(tables().lines.size());
            if (frame < 0 || frame >= static_cast<std::int64_t>(tables().symbols.size()) || count < 0 || count > 0xffff
                || first < 0 || first > lineCount - count)
                return m_context.damage.badRow("symbol");
            edit().symbols[static_cast<std::size_t>(frame)] = {static_cast<std::uint32_t>(first),
                static_cast<std::uint16_t>(count), enumerator("symbol", row, 2, State::FileChanged, State::NoSymbol)};
        });
}

} // namespace

Result<void> loadTables(LoadContext &context, LoadedSession &session) { return TableLoader(context, session).load(); }

} // namespace storage
