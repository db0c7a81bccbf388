// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof list`, `genprof tag` and `genprof note`, `genprof prune`; they return the exit code.
int runList(const ListOptions &options);
int runTag(const TagOptions &options);
int runPrune(const PruneOptions &options);

} // namespace app
