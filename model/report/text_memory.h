// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

/// Sections of the summary; each is left out where there is nothing to say.

/// What the resident memory consists of at the end of the selection.
void writeMemoryParts(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);
/// Mappings and pools: what is counted apart from malloc's blocks.
void writeAreas(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);
/// Marks, and the time spent in each phase.
void writeMarks(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);

} // namespace model
