// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/damage.h"
#include "storage/snapshot_series.h"

namespace storage {

/// Fills in the areas with their costs within the window, phases, and the parts of the resident memory.
model::Result<void> fillAreas(Database &database, Damage &damage, LoadedSession &session,
    const model::Selection &selection, const TickWindow &window, model::Snapshot &snapshot);

} // namespace storage
