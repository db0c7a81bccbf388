// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_catalog.h"

#include "model/session_entry.h"
#include "storage/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace storage {

namespace {

using model::Result;

constexpr const char *kSchema
    = "CREATE TABLE IF NOT EXISTS recent (path TEXT PRIMARY KEY, command TEXT NOT NULL,"
      " start_wall_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, used_wall_ns INTEGER NOT NULL)"
      " WITHOUT ROWID";

std::string absolute(const std::string &path)
{
    std::error_code failure;
    const auto whole = std::filesystem::absolute(path, failure);
    return failure ? path : whole.lexically_normal().string();
}

/// Opens the list. `isDamaged` says whether a failure means that its bytes are no list any more; one that is busy, may not be read or is of
/// another version is none.
Result<Database> openDatabase(const std::string &file, bool &isDamaged)
{
    isDamaged = false;
    auto database = Database::open(file, OpenMode::ReadWriteCreate);
    if (!database)
        return database; // nothing was read of it yet
    ::chmod(file.c_str(), 0600);
    auto readable = database->execute(kSchema);
    if (readable)
        if (auto count = database->integer("SELECT count(*) FROM recent WHERE used_wall_ns > 0"); !count)
            readable = count.error();
    if (readable)
        return database;
    const int code = sqlite3_errcode(database->handle()) & 0xff;
    isDamaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return readable.error();
}

/// Renames a damaged list to a name that is free; false where that fails.
bool putAside(const std::string &file)
{
    constexpr int kMostNames = 100;
    std::string name = file + ".damaged";
    for (int number = 2; ::renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) != 0; ++number) {
        if (errno != EEXIST || number > kMostNames)
            return false;
        name = file + ".damaged." + std::to_string(number);
    }
    return true;
}

} // namespace

struct SessionCatalog::Private
{
    Database database;
};

SessionCatalog::SessionCatalog(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}
SessionCatalog::SessionCatalog(SessionCatalog &&) noexcept = default;
SessionCatalog &SessionCatalog::operator=(SessionCatalog &&) noexcept = default;
SessionCatalog::~SessionCatalog() = default;

Result<std::string> SessionCatalog::defaultFolder()
{
    // https://specifications.freedesktop.org/basedir-spec: relative paths count as unset.
    if (const char *state = std::getenv("XDG_STATE_HOME"); state && *state == '/')
        return std::string(state) + "/genesis-profiler";
    if (const char *home = std::getenv("HOME"); home && *home == '/')
        return std::string(home) + "/.local/state/genesis-profiler";
    return model::Error("Cannot keep a list of sessions: neither HOME nor XDG_STATE_HOME is set; set one of them");
}

Result<SessionCatalog> SessionCatalog::open(const std::string &folder)
{
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure)
        return model::Error("Cannot make the folder " + folder + ": " + failure.message());
    const std::string file = folder + "/sessions.db";
    bool isDamaged = false;
    auto database = openDatabase(file, isDamaged);
    if (!database && isDamaged && putAside(file))
        database = openDatabase(file, isDamaged);
    if (!database)
        return database.error();
    return SessionCatalog(std::make_unique<Private>(Private{std::move(*database)}));
}

Result<void> SessionCatalog::remember(const std::string &path, const model::SessionInfo &info, std::int64_t nowWallNs,
    Secrecy secrecy, std::string_view attached)
{
    auto insert
        = d->database.prepare("INSERT OR REPLACE INTO recent (path, command, start_wall_ns, duration_ns, used_wall_ns)"
                              " VALUES (?, ?, ?, ?, ?)");
    if (!insert)
        return insert.error();
    const std::string command = secrecy == Secrecy::Sealed ? "(sealed)" : model::commandText(info.config, attached);
    if (auto done = insert->run(absolute(path), command, info.startWallNs, info.duration.ns, nowWallNs); !done)
        return done;
    auto trim = d->database.prepare(
        "DELETE FROM recent WHERE path NOT IN (SELECT path FROM recent ORDER BY used_wall_ns DESC, path LIMIT ?)");
    if (!trim)
        return trim.error();
    return trim->run(kMostEntries);
}

Result<std::vector<model::RecentSession>> SessionCatalog::recent(std::size_t most)
{
    auto rows = d->database.prepare("SELECT path, command, start_wall_ns, duration_ns, used_wall_ns FROM recent"
                                    " ORDER BY used_wall_ns DESC, path LIMIT ?");
    if (!rows)
        return rows.error();
    rows->bindAll(most);
    std::vector<model::RecentSession> sessions;
    for (;;) {
        const auto row = rows->step();
        if (!row)
            return row.error();
        if (!*row)
            return sessions;
        model::RecentSession session{.path = std::string(rows->text(0)),
            .command = std::string(rows->text(1)),
            .startWallNs = rows->integer(2),
            .duration = {rows->integer(3)},
            .usedWallNs = rows->integer(4)};
        struct stat status = {};
        session.isThere = ::stat(session.path.c_str(), &status) == 0;
        session.fileBytes = session.isThere ? status.st_size : 0;
        sessions.push_back(std::move(session));
    }
}

Result<void> SessionCatalog::forget(const std::string &path)
{
    auto remove = d->database.prepare("DELETE FROM recent WHERE path = ?");
    if (!remove)
        return remove.error();
    return remove->run(absolute(path));
}

} // namespace storage
