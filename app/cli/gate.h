// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "capture/target/inherited_state.h"

namespace app {

/// Runs `genprof gate`. Returns 0 passed, 1 worse, 2 cannot tell, 3 the program failed, 125 a failure of our own.
int runGate(const GateOptions &options, const capture::InheritedState &inherited);

} // namespace app
