// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/log_mode.h"

namespace storage {

using model::Result;

Result<void> useLog(Database &database, const std::string &path)
{
    auto mode = database.prepare("PRAGMA journal_mode=WAL");
    if (!mode)
        return mode.error();
    const auto row = mode->step();
    if (!row)
        return row.error();
    if (mode->text(0) != "wal")
        return model::Error("Cannot record to " + path
            + ": its file system does not support shared memory, as network file systems do not; record to a local "
              "disk");
    mode->reset();
    // The log is made when something is first read through it.
    const auto opened = database.integer("SELECT count(*) FROM sqlite_schema");
    return opened ? Result<void>() : Result<void>(opened.error());
}

} // namespace storage
