// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

#include <string>
#include <vector>

namespace app {

/// Understands the command line of `genprof`; `arguments` is without the program's own name. Never fails: what cannot be
/// understood becomes a PrintAndExit that says why. `version` is printed for --version.
Command parseCommandLine(const std::vector<std::string> &arguments, const std::string &version);

} // namespace app
