// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/sealing.h"

#include "storage/new_file.h"
#include "storage/session_file.h"
#include "storage/writer_lock.h"

#include <sqlite3.h>

namespace storage {

namespace {

using model::Error;
using model::Result;

/// Page by page: nothing of what the database holds is run.
Result<void> copyPages(Database &from, Database &to)
{
    const std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup *)> backup(
        sqlite3_backup_init(to.handle(), "main", from.handle(), "main"), sqlite3_backup_finish);
    if (!backup)
        return databaseError(to.handle(), "Cannot write");
    const int code = sqlite3_backup_step(backup.get(), -1);
    if (code == SQLITE_DONE)
        return {};
    // Which of the two failed, only their own codes tell.
    if (code == SQLITE_IOERR_DATA || (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        return Error(std::string("Cannot copy ") + sqlite3_db_filename(from.handle(), "main")
            + ": it is damaged or was altered; use another copy");
    return Error(
        std::string("Cannot copy to ") + sqlite3_db_filename(to.handle(), "main") + ": " + sqlite3_errstr(code));
}

Result<void> copySession(
    const std::string &in, const SealKeyPointer &inKey, const std::string &out, const SealKeyPointer &outKey)
{
    if (WriterLock::isHeld(in))
        return Error("Cannot copy " + in
            + ": it is being recorded; wait for its end (genprof ctl FILE stop), or record with --seal");
    Damage damage;
    auto from = openSessionFile(in, damage, inKey);
    if (!from)
        return from.error();
    auto made = NewFile::make(out);
    if (!made)
        return made.error();
    {
        auto to = Database::open(out, OpenMode::ReadWrite, outKey);
        if (!to)
            return to.error();
        if (auto done = copyPages(from->database, *to); !done)
            return done;
    }
    // A copy of a session that was not ended says that it has a log: now it has none.
    auto to = Database::open(out, OpenMode::ReadWrite, outKey);
    if (!to)
        return to.error();
    if (auto done = to->execute(outKey ? "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY"
                                       : "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE");
        !done)
        return done;
    if (const auto readable = to->integer("SELECT count(*) FROM sqlite_schema"); !readable)
        return readable.error();
    return made->keep();
}

} // namespace

Result<void> sealSession(const std::string &in, const std::string &out, const SealKeyPointer &key)
{
    if (isSealed(in))
        return Error("Cannot seal " + in + ": it is sealed already");
    return copySession(in, {}, out, key);
}

Result<void> unsealSession(const std::string &in, const std::string &out, const SealKeyPointer &key)
{
    if (!isSealed(in))
        return Error("Cannot unseal " + in + ": it is not sealed");
    return copySession(in, key, out, {});
}

} // namespace storage
