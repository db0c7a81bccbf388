// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"

#include "storage/seal/sealed_vfs.h"
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace storage {

namespace {

constexpr int kBusyMs = 5000;
constexpr int kMostBytesOfAValue = 16 * 1024 * 1024;
constexpr int kInstructionsPerCheck = 20'000; ///< a fraction of a millisecond

/// The path as a file: URI, which is how SQLite takes options.
std::string uriOf(const std::string &path, std::string_view options)
{
    // An absolute one comes after an empty authority: "file://x/y" would be y on the host x.
    std::string uri = path.starts_with('/') ? "file://" : "file:";
    for (const char c : path) {
        if (c == '%' || c == '?' || c == '#')
            uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
        else
            uri += c;
    }
    return uri + std::string(options);
}

/// What a reading connection may do: read tables, call plain functions, transactions, and the pragmas used here.
int allowReading(void *, int action, const char *first, const char *, const char *, const char *)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_TRANSACTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_PRAGMA:
        return std::string_view(first ? first : "") == "writable_schema" ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

/// SQLite opens what is damaged at the edges when its schema counts as writable; the connection still cannot write.
model::Result<void> restrict(Database &database, OpenMode mode)
{
    sqlite3 *db = database.handle();
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kMostBytesOfAValue);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    if (mode != OpenMode::Salvage)
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    const char *pragmas = mode == OpenMode::Salvage
        ? "PRAGMA writable_schema=ON; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY"
        : "PRAGMA cell_size_check=ON; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY";
    if (auto done = database.execute(pragmas); !done)
        return done;
    sqlite3_set_authorizer(db, allowReading, nullptr);
    return {};
}

/// Whether the rollback journal beside a file ends with the name of a super-journal: SQLite plays such a journal back and then deletes the
/// file of that name, which may be any file of the user. Sessions are never part of a transaction over several files, so only somebody who
/// means harm writes one. https://www.sqlite.org/fileformat.html, section 3; the record ends with the journal's magic.
bool journalNamesAnotherFile(const std::string &path)
{
    constexpr std::array<unsigned char, 8> kMagic{0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    const Descriptor file(::open((path + "-journal").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status = {};
    if (!file.isOpen() || ::fstat(file.get(), &status) != 0 || status.st_size < 16)
        return false;
    std::array<unsigned char, kMagic.size()> end{};
    const ssize_t count = ::pread(file.get(), end.data(), end.size(), status.st_size - static_cast<off_t>(end.size()));
    return count != static_cast<ssize_t>(end.size()) || end == kMagic; // what cannot be read is not to be played back
}

} // namespace

void Database::Closer::operator()(sqlite3 *handle) const { sqlite3_close_v2(handle); }

model::Result<Database> Database::open(const std::string &path, OpenMode mode, const SealKeyPointer &key)
{
    const bool writes = mode == OpenMode::ReadWrite || mode == OpenMode::ReadWriteCreate || mode == OpenMode::Memory;
    if (writes && mode != OpenMode::Memory && journalNamesAnotherFile(path))
        return model::Error("Cannot open " + path + ": the journal beside it (" + path
            + "-journal) names another file to delete, as no session's does; remove the journal to read the session as "
              "it is");
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
    flags |= writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    if (mode == OpenMode::ReadWriteCreate)
        flags |= SQLITE_OPEN_CREATE;
    std::string name = uriOf(path, "");
    if (mode == OpenMode::Memory)
        name = ":memory:";
    else if (mode == OpenMode::Immutable || mode == OpenMode::Salvage)
        name = uriOf(path, "?immutable=1");
    sqlite3 *handle = nullptr;
    Database database;
    if (key) {
        auto vfs = SealedVfs::open(key);
        if (!vfs)
            return vfs.error();
        database.m_vfs = std::move(*vfs);
    }
    const int code
        = sqlite3_open_v2(name.c_str(), &handle, flags, database.m_vfs ? database.m_vfs->name().c_str() : nullptr);
    database.m_handle.reset(handle);
    if (code != SQLITE_OK) {
        if (!handle)
            return model::Error("Cannot open " + path + ": out of memory");
        // What could not be opened has no name yet.
        const char *known = sqlite3_db_filename(handle, "main");
        return databaseError(handle, known && *known ? std::string("Cannot open") : "Cannot open " + path);
    }
    sqlite3_busy_timeout(handle, kBusyMs);
    // Temporary files would be in clear; journals are kept in memory by the layer below.
    if (key && writes)
        if (auto done = database.execute("PRAGMA temp_store=MEMORY; PRAGMA page_size=4096"); !done)
            return done.error();
    if (!writes)
        if (auto done = restrict(database, mode); !done)
            return done.error();
    return database;
}

int Database::brokenLogUnits() const { return m_vfs ? m_vfs->brokenLogUnits() : 0; }

model::Result<void> Database::execute(const char *sql)
{
    if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return databaseError(handle(), sqlite3_db_readonly(handle(), "main") ? "Cannot read" : "Cannot write");
    return {};
}

model::Result<Statement> Database::prepare(std::string_view sql)
{
    sqlite3_stmt *statement = nullptr;
    const int code = sqlite3_prepare_v3(
        handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK)
        return databaseError(handle(), "Cannot query");
    return Statement(statement);
}

model::Result<std::int64_t> Database::integer(std::string_view sql)
{
    auto statement = prepare(sql);
    if (!statement)
        return statement.error();
    const auto row = statement->step();
    if (!row)
        return row.error();
    return *row ? statement->integer(0) : std::int64_t{0};
}

model::Result<void> Database::flush()
{
    if (const int code = sqlite3_db_cacheflush(handle()); code != SQLITE_OK)
        return databaseError(handle(), "Cannot write", code, errno);
    return {};
}

model::Result<Transaction> Transaction::begin(Database &database, Kind kind)
{
    if (auto done = database.execute(kind == Kind::Write ? "BEGIN IMMEDIATE" : "BEGIN"); !done)
        return done.error();
    return Transaction(database);
}

Transaction::~Transaction()
{
    // A failed write may have rolled back already; then there is nothing left to undo.
    if (m_database && sqlite3_get_autocommit(m_database->handle()) == 0)
        sqlite3_exec(m_database->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

model::Result<void> Transaction::commit() { return m_database->execute("COMMIT"); }

CancelScope::CancelScope(Database &database, std::stop_token stop)
    : m_handle(database.handle())
    , m_stop(std::move(stop))
{
    sqlite3_progress_handler(
        m_handle, kInstructionsPerCheck,
        [](void *scope) { return static_cast<CancelScope *>(scope)->m_stop.stop_requested() ? 1 : 0; }, this);
}

CancelScope::~CancelScope() { sqlite3_progress_handler(m_handle, 0, nullptr, nullptr); }

} // namespace storage
