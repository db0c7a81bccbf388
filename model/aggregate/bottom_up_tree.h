// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/stack_costs.h"

namespace model {

/// The parts of a bottom-up tree: leaf functions first, callers below. Nodes under `leastShare` of all are not opened. Nothing
/// when `stop` was requested. For callTree() only.
std::optional<CallTreeParts> bottomUpTree(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs,
    double leastShare, const std::stop_token &stop);

} // namespace model
