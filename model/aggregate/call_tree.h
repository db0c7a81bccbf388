// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/aggregate/function_index.h"
#include "model/snapshot.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

enum class TreeOrder : std::uint8_t {
    TopDown,  ///< callers above what they call
    BottomUp, ///< the leaf functions first, below each its callers
};

enum class Recursion : std::uint8_t {
    Kept,   ///< one node a call
    Folded, ///< a call of a function that is already on the path goes back to that node
};

struct CallTreeOptions
{
    TreeOrder order = TreeOrder::TopDown;
    Recursion recursion = Recursion::Folded; ///< top-down only; bottom-up trees keep all calls
    /// Bottom-up only: a node with less than this share of all is not opened further, see CallNode::isCut.
    double leastShare = 1e-4;
};

using NodeId = Id<struct CallNodeTag>;

/// A function reached on one way from the root.
struct CallNode
{
    NodeId parent;     ///< invalid for the root
    NodeId firstChild; ///< children are neighbours
    std::uint32_t childCount = 0;
    FunctionId function;
    /// What an inspector shows for this node: top-down the heaviest stack node that was merged here, bottom-up the heaviest
    /// whole stack that goes through. Invalid for the root and the ends.
    StackId stack;
    StringId file{0u}; ///< place in the function, of the heaviest frame merged here
    std::uint32_t line = 0;
    std::uint32_t depth = 0;     ///< of the root: 0
    std::uint32_t recursion = 1; ///< most calls of this function on one way that were folded into it
    bool isInlined = false;
    bool isCut = false; ///< has callers that are not in the tree, because it weighs too little
};

/// What a tree is made from: nodes in any order in which parents precede their children, costs node × kinds.
struct CallTreeParts
{
    TreeOrder order = TreeOrder::TopDown;
    std::vector<CostKind> kinds;
    std::vector<CallNode> nodes; ///< firstChild, childCount and depth are not read
    std::vector<std::int64_t> self;
    std::vector<std::int64_t> total;
    std::shared_ptr<const FunctionIndex> functions;
    std::int64_t stackCount = 0;
};

/// All stacks of a snapshot merged by function. Node 0 is the root, its total is everything; parents precede children;
/// children stand in descending order of the first cost's absolute total, then by name. Incomplete stacks hang from a node of
/// their own below the root (top-down), or end in one (bottom-up). Immutable; may be shared between threads.
class CallTree
{
public:
    /// A tree of nothing: only the root.
    CallTree();
    /// Puts the children in order; called by the builders.
    explicit CallTree(CallTreeParts parts);

    const std::vector<CallNode> &nodes() const { return m_nodes; }
    std::size_t size() const { return m_nodes.size(); }
    const CallNode &node(NodeId id) const { return m_nodes.at(id.index()); }
    static NodeId root() { return NodeId(0u); }
    NodeId child(NodeId parent, std::size_t row) const;
    /// Position of a node among its siblings.
    std::size_t rowOf(NodeId id) const;

    /// The costs that were asked for, in that order; `column` below is an index into them.
    const std::vector<CostKind> &kinds() const { return m_kinds; }
    /// Cost of the stacks that end in the node itself. In a bottom-up tree: of the stacks whose leaf is the first-level
    /// ancestor and whose outermost function is this node.
    std::int64_t self(NodeId id, std::size_t column = 0) const;
    /// Self of the node and of everything below it.
    std::int64_t total(NodeId id, std::size_t column = 0) const;
    std::int64_t all(std::size_t column = 0) const { return total(root(), column); }
    /// Stacks with any of the costs.
    std::int64_t stackCount() const { return m_stackCount; }

    TreeOrder order() const { return m_order; }
    const FunctionIndex &functions() const { return *m_functions; }
    std::string name(NodeId id) const { return m_functions->name(node(id).function); }

private:
    TreeOrder m_order = TreeOrder::TopDown;
    std::vector<CostKind> m_kinds;
    std::vector<CallNode> m_nodes;
    std::vector<std::int64_t> m_self;  ///< node × kinds
    std::vector<std::int64_t> m_total; ///< the same
    std::shared_ptr<const FunctionIndex> m_functions;
    std::int64_t m_stackCount = 0;
};

/// Merges the stacks of `snapshot` by function, weighed by `kinds` (all of one source, at least one; sorted by the first).
/// Pure; O(stack nodes + rows) top-down. Returns nothing when `stop` was requested.
std::optional<CallTree> callTree(const Snapshot &snapshot, const std::vector<CostKind> &kinds,
    const CallTreeOptions &options = {}, std::stop_token stop = {});

} // namespace model
