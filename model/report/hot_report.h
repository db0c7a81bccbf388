// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

// Hot paths and functions by any cost, of what is selected: time, process, thread.

/// The functions with the greatest own cost and the ways on which most of it flows; equal ranks are ties.
void writeHotText(std::ostream &out, const Snapshot &snapshot, CostKind kind, const TextReportOptions &options = {});
/// One row a function: rank, function, self and total with their 95 % intervals, place. `most` 0: all.
void writeHotCsv(std::ostream &out, const Snapshot &snapshot, CostKind kind, std::size_t most = 0);
/// One object: `functions` and `paths`. `most` 0: all functions, five paths.
void writeHotJson(std::ostream &out, const Snapshot &snapshot, CostKind kind, std::size_t most = 0);

} // namespace model
