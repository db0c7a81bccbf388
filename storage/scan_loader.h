// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Loads the scans for lost memory that are new; an older file has none. Call after loadTables.
model::Result<void> loadScans(LoadContext &context, LoadedSession &session);

} // namespace storage
