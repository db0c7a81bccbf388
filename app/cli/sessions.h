// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/options.h"

namespace app {

/// `genprof list`: prints the sessions that were recorded or opened last, newest first, and returns the exit code.
int runList(const ListOptions &options);

} // namespace app
