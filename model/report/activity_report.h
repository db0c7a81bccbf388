// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/report/row_range.h"
#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

// System calls (CostSource::SystemCall) and waits (CostSource::Wait) of what is selected.

/// By call or by class of waits, and the places in the program that cost most.
void writeActivityText(
    std::ostream &out, const Snapshot &snapshot, CostSource source, const TextReportOptions &options = {});
/// One row per thread, program, call or class, and stack; the dearest first.
void writeActivityCsv(std::ostream &out, const Snapshot &snapshot, CostSource source, RowRange range = {});
/// One object: totals by call or class, how many stacks there are in all, and those within `range` as a tree.
void writeActivityJson(std::ostream &out, const Snapshot &snapshot, CostSource source, RowRange range = {});

/// The cost by which such a table is sorted.
CostKind mainCostOf(CostSource source);

} // namespace model
