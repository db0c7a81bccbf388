// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/cost_evidence.h"

namespace model {

/// Self and total of every function of both sessions, recursion counted once, in no order; isSignificant as differenceOf() has it for
/// self, and for total at 5 %, each by itself.
std::vector<FunctionDifference> functionDifferences(const StackMatching &matching,
    const std::array<std::shared_ptr<FunctionIndex>, 2> &indexes, const std::array<StackEvidence, 2> &evidence,
    const ComparedUnits &units, Certainty certainty);

} // namespace model
