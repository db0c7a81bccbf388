// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Loads what is new of alerts; an older file has none.
model::Result<void> loadAlerts(LoadContext &context, LoadedSession &session);

/// Loads what is new of accusations of leaking; an older file has none.
model::Result<void> loadLeakClaims(LoadContext &context, LoadedSession &session);

} // namespace storage
