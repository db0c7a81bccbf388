// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/log_mode.h"

#include "storage/network_file_system.h"

namespace storage {

using model::Result;

namespace {

model::Error cannotShare(const std::string &path, const std::string &fileSystem)
{
    return model::Error("Cannot record to " + path + ": its file system" + fileSystem
        + " does not let programs share memory through a file, as network file systems do not between machines; record "
          "to a local disk, "
          "and look at it from another machine with: ssh HOST genprof follow FILE | genprof follow --into COPY");
}

} // namespace

Result<void> useLog(Database &database, const std::string &path)
{
    // On some of them the log seems to work, until another machine looks.
    if (const std::string network = networkFileSystemOf(path); !network.empty())
        return cannotShare(path, " (" + network + ")");
    auto mode = database.prepare("PRAGMA journal_mode=WAL");
    if (!mode)
        return mode.error();
    const auto row = mode->step();
    if (!row)
        return row.error();
    if (mode->text(0) != "wal")
        return cannotShare(path, {});
    mode->reset();
    // The log is made when something is first read through it.
    const auto opened = database.integer("SELECT count(*) FROM sqlite_schema");
    return opened ? Result<void>() : Result<void>(opened.error());
}

bool foldLog(Database &database)
{
    const auto isBusy = database.integer("PRAGMA wal_checkpoint(TRUNCATE)");
    return isBusy && *isBusy == 0;
}

void leaveLog(Database &database)
{
    // Readers that have it open keep SQLite from leaving the mode.
    const char *leave = database.isSealed() ? "PRAGMA busy_timeout=2000; PRAGMA journal_mode=MEMORY"
                                            : "PRAGMA busy_timeout=2000; PRAGMA journal_mode=DELETE";
    if (auto done = database.execute(leave); !done)
        foldLog(database);
}

} // namespace storage
