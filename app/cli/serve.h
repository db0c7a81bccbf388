// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof serve`: serves one session over HTTP until SIGINT or SIGTERM, and returns the exit code.
int runServe(const ServeOptions &options);

} // namespace app
