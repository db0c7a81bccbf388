// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/table_loader.h"

namespace storage {

/// Loads what is new of a stability test; an older file has none.
model::Result<void> loadSoak(LoadContext &context, LoadedSession &session);

} // namespace storage
