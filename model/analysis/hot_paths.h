// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/function_table.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/robust_trend.h"

#include <optional>
#include <stop_token>
#include <vector>

namespace model {

/// A way from the root on which much of the cost flows, down to where it splits into small parts or is spent.
struct HotPath
{
    std::vector<NodeId> nodes; ///< root first, without the tree's own root; the last one is the decision point
    std::int64_t total = 0;    ///< of the decision point
    std::int64_t self = 0;
    double share = 0;        ///< of everything
    Interval share95;        ///< see HotFunction
    std::size_t rank = 1;    ///< paths whose intervals overlap that of the first of their rank share it
    bool endsInSelf = false; ///< its own code takes ≥ 20 % of it; else the cost splits here
    std::size_t fork = 0;    ///< how many nodes from the root on it has in common with a path before it in the list
};

/// Follows from each child of the root that has ≥ 1 % of everything the heaviest child while that has ≥ 50 % of its parent and ≥ 1 %
/// of everything, and on the way each other child with ≥ 5 % of everything as a path of its own. No path ends below the end of another, so
/// their costs may be added. In descending order of share, those with the least left out beyond `most`. `samples`: what the tree is made of.
std::vector<HotPath> hotPaths(const CallTree &tree, std::size_t most = 10, SampleBase samples = {});

/// The heaviest child of each node from the root on, without the tree's own root, while it has at least `share` of its parent.
std::vector<NodeId> heaviestWay(const CallTree &tree, double share);

/// Position on a way of its first node with a second child that is worth a look, ≥ 10 % of the node; else of its last node.
/// What stands before it are callers that all have in common. 0 for an empty way.
std::size_t firstDividing(const CallTree &tree, const std::vector<NodeId> &way);

/// A function by its own share, with the interval that sampling leaves.
struct HotFunction
{
    FunctionId function;
    std::int64_t self = 0;
    std::int64_t total = 0;
    double selfShare = 0;
    /// Wilson, from the number of samples, of which those that were missed may all have been its own, or none; for exact costs both ends are the
    /// share.
    Interval selfShare95;
    double totalShare = 0;
    Interval totalShare95;
    StringId file{0u};
    std::uint32_t line = 0;
    std::size_t rank = 1; ///< functions whose intervals overlap that of the first of their rank share it
};

/// The interval of a share of what was sampled, see HotFunction::selfShare95.
Interval shareInterval(double share, SampleBase samples);

/// The `most` functions with the greatest self cost. `samples`: what the table is made of.
std::vector<HotFunction> hotFunctions(const FunctionTable &table, SampleBase samples, std::size_t most = 20);

/// What is hot by one cost in what a snapshot selects.
struct HotSpots
{
    FunctionTable table;
    std::vector<HotFunction> functions;
    CallTree tree;
    std::vector<HotPath> paths;
    SampleBase samples;        ///< behind the cost; none: it is exact, or its error is told elsewhere
    std::int64_t tracerNs = 0; ///< CPU time in the tracer, which is left out: it is no part of the program
    bool isExact() const { return samples.taken == 0; }
};

/// Functions and paths by `kind`; the `mostFunctions` functions, and as many paths, ten at most. Pure. Returns nothing when `stop` was requested.
std::optional<HotSpots> hotSpots(
    const Snapshot &snapshot, CostKind kind, std::size_t mostFunctions, std::stop_token stop = {});

} // namespace model
