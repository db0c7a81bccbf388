// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "capture/target/inherited_state.h"

namespace app {

/// Runs `genprof soak`: a stability test, from its begin or from where an earlier one was broken off. Returns what the program exits with:
/// 0 stable, 1 leaking, 2 undecided, 3 the target or its load failed, 125 a failure of our own.
int runSoak(const SoakOptions &options, const capture::InheritedState &inherited);

} // namespace app
