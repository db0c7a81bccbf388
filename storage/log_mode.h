// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"

namespace storage {

/// Puts the database at `path` into WAL mode and makes its log, so that a writer and its readers do not wait for each other. Fails with a
/// sentence on file systems where that does not work.
model::Result<void> useLog(Database &database, const std::string &path);

/// Moves everything of the log into the database's file. Whether that was possible: a reader in the middle of a transaction hinders it, for
/// which this waits as long as the connection's busy timeout.
bool foldLog(Database &database);

/// Takes the database out of WAL mode again, so that its file stands by itself, and says so. Where others have it open the log stays, folded.
void leaveLog(Database &database);

} // namespace storage
