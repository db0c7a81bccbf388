// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"

namespace storage {

/// Puts the database at `path` into WAL mode and makes its log, so that a writer and its readers do not wait for each other. Fails with a
/// sentence on file systems where that does not work.
model::Result<void> useLog(Database &database, const std::string &path);

} // namespace storage
