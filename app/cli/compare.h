// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// Runs `genprof compare`: prints two sessions, or two windows of one, side by side. Returns the exit code; failures are said on stderr.
int runCompare(const CompareOptions &options);

} // namespace app
