// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Brings the session's histories of ages up to date: what was written since the last call of this function. An older file has none. Rows
/// that cannot be are left out and counted as damage.
model::Result<void> loadAges(Database &database, Damage &damage, LoadedSession &session);

/// All histories, each brought up to its image's clock.
std::shared_ptr<const model::HeapAges> heapAges(const LoadedSession &session);

} // namespace storage
