// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <iosfwd>
#include <vector>

namespace model {

/// Writes the call tree by `kinds` (of one source; those without any cost are left out) as data that report.js draws as a flame graph, callers
/// above what they call, with one button a cost. Calls that weigh less than a thousandth by every cost are left out, and said to be. Nothing where
/// there is no cost.
void writeHtmlFlame(std::ostream &out, const Snapshot &snapshot, const std::vector<CostKind> &kinds);

} // namespace model
