// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof doctor`: prints what this machine allows to record and how to allow more; with a pid, whether
/// that process can be attached to. Returns the exit code: 0 if nothing is
/// denied, else 1.
int runDoctor(const DoctorOptions &options);

} // namespace app
