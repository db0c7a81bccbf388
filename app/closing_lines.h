// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/recording_status.h"
#include "model/tables/program_tables.h"

#include <optional>
#include <string>
#include <vector>

namespace app {

/// What is said when a recording has ended: whose heap is not in it and why, what it holds, and how to look at it. What stands in `notes`, which were
/// said when it began, is not said again.
/// `asked`: how long the recording was to last; what is more than a tenth over it is told of. Empty: until it ends.
std::vector<std::string> closingLines(const capture::RecordingStatus &status, const model::ProgramTables &tables,
    const std::vector<std::string> &notes, const std::string &session,
    const std::optional<model::Duration> &asked = std::nullopt);

} // namespace app
