// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"
#include "storage/writer_lock.h"

namespace storage {

/// Makes the session at `path` a single compact file and closes it: a compact copy is written beside it, made durable, and renamed over
/// it. Where there is no room for the copy the log is folded into the file in place. Works while readers have it open; they find the new
/// file by their next poll. On failure nothing is lost: what was committed stays readable with its -wal.
model::Result<void> finishFile(const std::string &path, Database database, WriterLock lock);

} // namespace storage
