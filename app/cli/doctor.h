// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/capabilities.h"

#include <cstddef>
#include <string>

namespace app {

/// `genprof doctor`: prints what this machine allows to record and how to allow more; with a pid, whether
/// that process can be attached to. Returns the exit code: 0 if nothing is
/// denied, else 1.
int runDoctor(const DoctorOptions &options);

/// What it prints, in lines of at most `columns` (0: any) where words allow it.
std::string doctorText(const model::Capabilities &capabilities, std::size_t columns);

} // namespace app
