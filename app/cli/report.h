// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

namespace app {

/// `genprof report`: prints one view of a session, saved or growing, and returns the exit code. Damage of the file is said on
/// standard error; what is whole in it is printed.
int runReport(const ReportOptions &options);

} // namespace app
