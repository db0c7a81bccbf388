// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <iosfwd>

namespace model {

/// Stacks as flame graph tools read them: `main;f;g N`, root first, one stack a line, equal ones added up, in the order of the text.
/// N is the cost of `kind` in its own unit (bytes, counts, nanoseconds); lines with N ≤ 0 are left out. Ends stacks that are
/// not whole with stackEndText() at the root.
void writeCollapsedStacks(std::ostream &out, const Snapshot &snapshot, CostKind kind);

} // namespace model
