// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/cost_loader.h"

#include <stop_token>

namespace storage {

/// Makes a snapshot of what is loaded, under `selection`. Fetches costs from `database` where the selection cuts through them; `session` keeps
/// the last intermediate sums. Fails when a query fails or `stop` is requested. Info, path and damage are the caller's to fill in.
model::Result<std::shared_ptr<model::Snapshot>> buildSnapshot(Database &database, const Damage &damage,
    LoadedSession &session, const model::Selection &selection, std::stop_token stop);

} // namespace storage
