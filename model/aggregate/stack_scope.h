// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <array>
#include <vector>

namespace model {

/// Which stacks a row of a tree or table, or a rectangle of a graph, stands for. Outlives the tree: good for every snapshot of its session.
struct StackScope
{
    enum class Kind : std::uint8_t {
        OnPath,   ///< `functions`, root first, lead to it; recursion is folded, as in a top-down tree
        FromLeaf, ///< the innermost functions are `functions`, leaf first, as in a bottom-up tree
        Anywhere, ///< `functions`, which is one, stands somewhere on them
    };
    Kind kind = Kind::OnPath;
    std::vector<Function> functions; ///< not empty; the last is the one that was chosen

    friend bool operator==(const StackScope &, const StackScope &) = default;
};

/// What the stacks that are merged in `node` have in common; not for the root.
StackScope scopeOf(const CallTree &tree, NodeId node);
/// All stacks that `function` stands on.
StackScope scopeOf(const FunctionIndex &functions, FunctionId function);

/// The way to a stack's leaf, or to the line that stands `line` lines above it (see stackLines()), recursion folded: what a top-down tree has of it.
StackScope pathOf(FunctionIndex &functions, StackId stack, std::size_t line = 0);

/// Costs of the stacks of a scope, by CostKind; 0 for kinds of another source than what was asked for.
struct ScopeCost
{
    using ByKind = std::array<std::int64_t, kCostKindCount>;
    ByKind total{};
    ByKind self{}; ///< of those that end in the chosen function; 0 of a scope FromLeaf with more than one function
    ByKind all{};  ///< of everything
    std::int64_t freedBytes = 0;

    std::int64_t of(CostKind kind) const { return total[static_cast<std::size_t>(kind)]; }
};

/// Adds up the rows of one source; `total` is that of the tree's node or the table's row that the scope was made for.
/// O(stack nodes + rows).
ScopeCost scopeCost(const Snapshot &snapshot, const StackScope &scope, CostSource source);

/// The heaviest of the ways to a function in a tree; invalid: it is not there.
NodeId heaviestNode(const CallTree &tree, const Function &function);

/// The node that stands for a scope in a tree of any snapshot of its session; of a function anywhere the heaviest. Invalid: it is not
/// there, or is one of the other order's.
NodeId nodeOf(const CallTree &tree, const StackScope &scope);

/// A function so that those of two indexes of a session can be compared, the ends of stacks too.
Function stableFunction(const FunctionIndex &functions, FunctionId id);

} // namespace model
