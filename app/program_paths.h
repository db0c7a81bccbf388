// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace app {

/// The folder in which the running program stands: "…/bin"; empty if it cannot be found out.
std::string programDirectory();

/// The tracer that is loaded into recorded programs. It stands relative to this program, in the build tree as well as
/// installed.
std::string tracerPath();

} // namespace app
