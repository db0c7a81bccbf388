// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "capture/target/inherited_state.h"

namespace app {

/// Runs `genprof baseline save|list|show|remove`. Returns the exit code; failures are said on stderr.
int runBaseline(const BaselineOptions &options, const capture::InheritedState &inherited);

} // namespace app
