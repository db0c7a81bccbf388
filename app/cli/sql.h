// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof sql`: answers statements about a session; returns the exit code. What is wrong, and what was cut off, is said on stderr.
int runSql(const SqlOptions &options);

} // namespace app
