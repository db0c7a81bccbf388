// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/session_entry.h"

#include <string>

namespace app {

/// `genprof list`, `genprof tag` and `genprof note`, `genprof prune`; they return the exit code.
int runList(const ListOptions &options);
int runTag(const TagOptions &options);
int runPrune(const PruneOptions &options);

/// What `genprof list` prints of a session: one line, or where `columns` (0: any) are too few for that, several.
std::string listText(const model::SessionEntry &entry, std::size_t columns);

} // namespace app
