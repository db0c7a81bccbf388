// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof ctl`: asks the recorder of a running recording, prints its answer, and returns the exit code. A stop waits until
/// the session is complete.
int runControl(const ControlOptions &options);

} // namespace app
