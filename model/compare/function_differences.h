// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/cost_evidence.h"

namespace model {

/// All costs of every function of both sessions, recursion counted once, in no order; isSignificant as differenceOf() has it for
/// self and caused, and for total at 5 %, each by itself. Of `comparison` it takes the kind, certainty, units, matching and indexes.
std::vector<FunctionDifference> functionDifferences(
    const Comparison &comparison, const std::array<StackEvidence, 2> &evidence);

} // namespace model
