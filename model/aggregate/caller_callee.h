// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_table.h"

#include <string_view>

namespace model {

/// A neighbour of a function in the call graph, and the cost that goes through that edge.
struct CallEdge
{
    FunctionId function;
    std::int64_t cost = 0;
};

/// A function, who calls it and whom it calls; both lists in descending order of cost. The costs of the callers add up to `total`
/// but for calls from the thread's start, those of the callees to `total − self`; with recursion each stack counts once an edge.
struct CallerCallee
{
    FunctionId function;
    std::int64_t self = 0;
    std::int64_t total = 0;
    std::vector<CallEdge> callers;
    std::vector<CallEdge> callees;
    std::shared_ptr<const FunctionIndex> functions;
};

/// The neighbours of the function called `name` in the module `moduleName` (without folders; empty: any module).
/// Returns nothing when no stack has it, or `stop` was requested.
std::optional<CallerCallee> callerCallee(const Snapshot &snapshot, CostKind kind, std::string_view name,
    std::string_view moduleName = {}, std::stop_token stop = {});

} // namespace model
