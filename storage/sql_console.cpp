// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sql_console.h"

#include "storage/schema.h"
#include "storage/session_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace storage {

namespace {

using model::Error;
using model::Result;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMostMemory = 400LL * 1024 * 1024;
constexpr int kInstructionsPerCheck = 50'000;

/// Tables that SQLite itself brings and that only describe or take apart values.
constexpr std::array kBuiltIn = std::to_array<std::string_view>({"json_each", "json_tree", "pragma_table_info",
    "pragma_table_xinfo", "pragma_table_list", "pragma_index_list", "pragma_index_info"});
constexpr std::array kSchemaTables
    = std::to_array<std::string_view>({"sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master"});
constexpr std::array kPragmasOfTables
    = std::to_array<std::string_view>({"table_info", "table_xinfo", "table_list", "index_list", "index_info"});
constexpr std::array kPragmasOfFiles
    = std::to_array<std::string_view>({"user_version", "application_id", "page_size", "page_count"});

/// SQLite's names are the same in capitals and small letters, ASCII alone.
std::string lowered(std::string_view name)
{
    std::string small(name);
    for (char &letter : small)
        if (letter >= 'A' && letter <= 'Z')
            letter = static_cast<char>(letter - 'A' + 'a');
    return small;
}

template <typename Names> bool contains(const Names &names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

model::QueryCell cellOf(sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
        return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
        return std::monostate();
    default:
        break;
    }
    const bool isText = sqlite3_column_type(statement, column) == SQLITE_TEXT;
    const auto *bytes = static_cast<const char *>(sqlite3_column_blob(statement, column));
    std::string value(bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    return isText ? model::QueryCell(std::move(value)) : model::QueryCell(model::QueryBlob{std::move(value)});
}

/// The first words of a statement, to name it by.
std::string beginning(std::string_view sql)
{
    constexpr std::size_t kShown = 60;
    const std::size_t start = std::min(sql.find_first_not_of(" \t\r\n"), sql.size());
    sql.remove_prefix(start);
    const std::size_t end = std::min({sql.find('\n'), sql.size(), kShown});
    return std::string(sql.substr(0, end)) + (end < sql.size() ? " …" : "");
}

} // namespace

struct SqlConsole::Private
{
    std::string path;
    Damage damage;
    std::string damageText;
    std::optional<SessionFile> file;
    std::set<std::string, std::less<>> readable; ///< tables and views that a query may name, in small letters
    std::set<std::string, std::less<>> existing; ///< all that the file and SQLite bring, in small letters
    std::string refused;                         ///< what the authorizer last said no to, as a sentence
    Clock::time_point deadline;
    std::int64_t seconds = 0; ///< of the time limit; 0: none

    Result<void> prepareTables();
    Result<void> makeViews();
    Result<void> readModules();
    bool mayRead(std::string_view name, std::string_view column) const;
    int authorize(int action, const char *first, const char *second);
    Result<void> runOne(sqlite3_stmt *statement, std::string_view sql, std::int64_t mostRows, model::QueryWriter &out);
    Error explained(int code, std::string_view sql);
};

/// The tables of the format that the file declares as the format does, and what SQLite brings unless the file took its name.
Result<void> SqlConsole::Private::prepareTables()
{
    auto expected = tableDeclarations(schemaVersion());
    if (!expected)
        return expected.error();
    for (const auto &[name, sql] : *expected)
        if (damage.isUsable(name))
            readable.insert(lowered(name));
    for (const std::string_view name : kBuiltIn)
        readable.emplace(name);
    auto names = file->database.prepare("SELECT name FROM sqlite_schema");
    if (!names)
        return names.error();
    for (;;) {
        const auto row = names->step();
        if (!row || !*row)
            break; // what cannot be read is not queried either
        const std::string name = lowered(names->text(0));
        existing.insert(name);
        if (contains(kBuiltIn, name))
            readable.erase(name);
    }
    for (const std::string_view name : kSchemaTables)
        readable.emplace(name);
    return {};
}

/// The names of SQLite's own virtual tables, without the authorizer.
Result<void> SqlConsole::Private::readModules()
{
    auto modules = file->database.prepare("SELECT name FROM pragma_module_list");
    if (!modules)
        return modules.error();
    for (;;) {
        const auto row = modules->step();
        if (!row)
            return row.error();
        if (!*row)
            return {};
        existing.insert(lowered(modules->text(0)));
    }
}

Result<void> SqlConsole::Private::makeViews()
{
    const auto views = viewDeclarations();
    if (!views)
        return views.error();
    sqlite3 *db = file->database.handle();
    sqlite3_set_authorizer(db, nullptr, nullptr);
    if (auto read = readModules(); !read)
        return read;
    std::string sql = "PRAGMA query_only=OFF;";
    constexpr std::string_view kCreate = "CREATE ";
    for (const auto &[name, declaration] : *views) {
        if (!std::string_view(declaration).starts_with(kCreate))
            return Error("The view " + name + " is not declared as it should be");
        sql += "CREATE TEMP " + declaration.substr(kCreate.size()) + ";\n";
        readable.insert(lowered(name));
    }
    // SQLite declares its own tables when they are first named; from then on the authorizer sees only what is read of them.
    for (const std::string_view name : kBuiltIn)
        if (readable.contains(name))
            sql += fmt::format("SELECT 1 FROM {}('[]') LIMIT 0;", name);
    sql += "PRAGMA query_only=ON;";
    if (auto done = file->database.execute(sql.c_str()); !done)
        return done;
    sqlite3_set_authorizer(
        db,
        [](void *self, int action, const char *first, const char *second, const char *, const char *) {
            return static_cast<Private *>(self)->authorize(action, first, second);
        },
        this);
    return {};
}

/// Of a table that is named but none of whose columns are read, as in count(*), SQLite asks with no column and the name as it was written: that
/// may be a common table expression, which is what every name is that neither the file nor SQLite brings.
bool SqlConsole::Private::mayRead(std::string_view name, std::string_view column) const
{
    const std::string small = lowered(name);
    if (readable.contains(small))
        return true;
    return column.empty() && !existing.contains(small) && !small.starts_with("pragma_");
}

int SqlConsole::Private::authorize(int action, const char *first, const char *second)
{
    const std::string_view name = first ? first : "";
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        if (mayRead(name, second ? second : ""))
            return SQLITE_OK;
        refused = fmt::format("\"{}\" is no table of a session, or is not declared as one should be", name);
        return SQLITE_DENY;
    case SQLITE_FUNCTION:
        return std::string_view(second ? second : "") == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
        if (contains(kPragmasOfTables, name) || (contains(kPragmasOfFiles, name) && !second))
            return SQLITE_OK;
        refused = fmt::format("PRAGMA {} is not possible here", name);
        return SQLITE_DENY;
    default:
        refused = "the session is opened for reading alone: SELECT, WITH, VALUES and EXPLAIN are possible";
        return SQLITE_DENY;
    }
}

Error SqlConsole::Private::explained(int code, std::string_view sql)
{
    const std::string where = fmt::format("\"{}\": ", beginning(sql));
    sqlite3 *db = file->database.handle();
    switch (code & 0xff) {
    case SQLITE_AUTH:
        return Error(where + (refused.empty() ? std::string("not possible here") : refused));
    case SQLITE_INTERRUPT:
        return Error(where + fmt::format("stopped after {} s; ask for less, or allow more time (--timeout)", seconds));
    case SQLITE_NOMEM:
        return Error(where + "it needs too much memory; ask for less");
    case SQLITE_ERROR: {
        std::string why = sqlite3_errmsg(db);
        if (why.starts_with("no such table") || why.starts_with("no such column"))
            why += "; \"PRAGMA table_list\" names the tables, \"PRAGMA table_info(NAME)\" a table's columns";
        return Error(where + why);
    }
    default:
        return databaseError(db, where + "cannot read");
    }
}

Result<void> SqlConsole::Private::runOne(
    sqlite3_stmt *statement, std::string_view sql, std::int64_t mostRows, model::QueryWriter &out)
{
    const int columns = sqlite3_column_count(statement);
    std::vector<std::string> names;
    for (int i = 0; i < columns; ++i)
        names.emplace_back(sqlite3_column_name(statement, i));
    out.begin(std::move(names));
    std::vector<model::QueryCell> cells(static_cast<std::size_t>(columns));
    for (std::int64_t rows = 0;; ++rows) {
        const int code = sqlite3_step(statement);
        const bool isCut = code == SQLITE_ROW && mostRows > 0 && rows >= mostRows;
        if (code != SQLITE_ROW || isCut) {
            out.end(isCut);
            return code == SQLITE_ROW || code == SQLITE_DONE ? Result<void>() : Result<void>(explained(code, sql));
        }
        for (int i = 0; i < columns; ++i)
            cells[static_cast<std::size_t>(i)] = cellOf(statement, i);
        out.row(cells);
    }
}

SqlConsole::SqlConsole(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}
SqlConsole::SqlConsole(SqlConsole &&) noexcept = default;
SqlConsole &SqlConsole::operator=(SqlConsole &&) noexcept = default;
SqlConsole::~SqlConsole() = default;

Result<SqlConsole> SqlConsole::open(const std::string &path, const SealKeyPointer &key)
{
    sqlite3_hard_heap_limit64(kMostMemory);
    auto d = std::make_unique<Private>();
    d->path = path;
    auto file = openSessionFile(path, d->damage, key);
    if (!file)
        return file.error();
    d->file = std::move(*file);
    d->damageText = d->damage.text();
    if (auto done = d->prepareTables(); !done)
        return done.error();
    if (auto done = d->makeViews(); !done)
        return done.error();
    return SqlConsole(std::move(d));
}

Result<void> SqlConsole::run(std::string_view sql, const SqlLimits &limits, model::QueryWriter &writer)
{
    sqlite3 *db = d->file->database.handle();
    d->deadline = Clock::now() + std::chrono::nanoseconds(limits.time.ns);
    d->seconds = limits.time.ns / 1'000'000'000;
    if (limits.time.ns > 0)
        sqlite3_progress_handler(
            db, kInstructionsPerCheck,
            [](void *self) { return Clock::now() > static_cast<Private *>(self)->deadline ? 1 : 0; }, d.get());
    Result<void> done;
    while (done && !sql.empty()) {
        sqlite3_stmt *prepared = nullptr;
        const char *rest = nullptr;
        d->refused.clear();
        const int code = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &prepared, &rest);
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt *)> statement(prepared, sqlite3_finalize);
        const std::string_view current = sql;
        sql.remove_prefix(code == SQLITE_OK ? static_cast<std::size_t>(rest - sql.data()) : sql.size());
        if (code != SQLITE_OK)
            done = d->explained(code, current);
        else if (prepared) // else only blanks or a comment
            done = d->runOne(prepared, current, limits.rows, writer);
    }
    writer.finish();
    sqlite3_progress_handler(db, 0, nullptr, nullptr);
    return done;
}

const std::string &SqlConsole::damage() const { return d->damageText; }

} // namespace storage
