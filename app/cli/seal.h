// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof seal` and `genprof unseal`: write the copy; return the exit code.
int runSeal(const SealOptions &options);

} // namespace app
