// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/stack_costs.h"

namespace model {

/// The parts of a top-down tree: callers above what they call. Each node of the stack tree is looked at once. Nothing when
/// `stop` was requested. For callTree() only.
std::optional<CallTreeParts> topDownTree(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs,
    Recursion recursion, const std::stop_token &stop);

} // namespace model
