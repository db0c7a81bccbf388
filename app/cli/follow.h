// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof follow`: streams a session to standard output, or makes a copy of a stream on standard input; returns the exit code.
int runFollow(const FollowOptions &options);

} // namespace app
