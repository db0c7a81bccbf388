// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "capture/target/inherited_state.h"

namespace app {

class SoakDesk;

/// `genprof record` and `genprof attach`: records until the end and returns the exit code, which for `record` is the command's
/// own. `inherited` is what the program was started with, to be handed on to the command. Main thread, before any other is
/// started. `soak`: the stability test that the recording is for; it says when the recording ends. Null: none.
int runRecord(const RecordOptions &options, const capture::InheritedState &inherited, SoakDesk *soak = nullptr);

} // namespace app
