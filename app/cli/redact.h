// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof redact`: writes the copy; returns the exit code.
int runRedact(const RedactOptions &options);

} // namespace app
