// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/aggregate/function_index.h"
#include "model/snapshot.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace model {

/// What one function cost on all ways to it.
struct FunctionCost
{
    FunctionId function;
    std::int64_t self = 0;  ///< of stacks whose leaf it is
    std::int64_t total = 0; ///< of stacks that it stands on, each counted once however often
    StringId file{0u};      ///< place of the heaviest frame in it
    std::uint32_t line = 0;
    std::int64_t stacks = 0; ///< stacks that it stands on
};

/// Functions in descending order of self, then total.
struct FunctionTable
{
    CostKind kind = CostKind::Live;
    std::vector<FunctionCost> rows;
    std::int64_t all = 0; ///< the whole that shares refer to
    std::shared_ptr<const FunctionIndex> functions;
};

/// Self and total of every function, recursion counted once. Pure. Returns nothing when `stop` was requested.
std::optional<FunctionTable> functionTable(const Snapshot &snapshot, CostKind kind, std::stop_token stop = {});

} // namespace model
