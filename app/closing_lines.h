// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/recording_status.h"
#include "model/tables/program_tables.h"

#include <string>
#include <vector>

namespace app {

/// What is said when a recording has ended: whose heap is not in it and why, what it holds, and how to look at it. What stands in `notes`, which were
/// said when it began, is not said again.
std::vector<std::string> closingLines(const capture::RecordingStatus &status, const model::ProgramTables &tables,
    const std::vector<std::string> &notes, const std::string &session);

} // namespace app
