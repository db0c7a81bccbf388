// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/compare/compared_costs.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

/// A function reached on one way from the root, in either session or both.
struct DifferenceNode
{
    NodeId parent; ///< invalid for the root
    NodeId firstChild;
    std::uint32_t childCount = 0;
    std::uint32_t depth = 0; ///< of the root: 0
    FunctionId function;     ///< invalid for the root; of the index of `side`
    Side side = Side::B;
    Difference self; ///< of the groups of stacks that end here
    Difference
        total; ///< of those that go through; of samples significant at a false discovery rate of 5 % over all nodes
};

/// The groups of stacks of a comparison merged by function, callers above what they call: what a differential flame graph draws. Matched as
/// the comparison matches, so what another build inlined differs in nothing. Parents precede children; children stand in descending order
/// of their weight. Immutable; may be shared between threads.
class DifferenceTree
{
public:
    /// A tree of nothing: only the root.
    DifferenceTree();

    std::size_t size() const { return m_nodes.size(); }
    const DifferenceNode &node(NodeId id) const { return m_nodes.at(id.index()); }
    static NodeId root() { return NodeId(0u); }
    NodeId child(NodeId parent, std::size_t row) const;
    /// Position of a node among its siblings.
    std::size_t rowOf(NodeId id) const;

    /// How wide a node is drawn: the mean of before and after over all that goes through, in parts of kWholeWeight, so that what is gone has
    /// its place too. That of the children never exceeds the parent's.
    std::int64_t total(NodeId id, std::size_t column = 0) const;
    static constexpr std::int64_t kWholeWeight = std::int64_t{1} << 50;

    CostKind kind() const { return m_kind; }
    Certainty certainty() const { return m_certainty; }
    /// The whole name of a function; empty for the root.
    std::string name(NodeId id) const;
    /// File name of its module.
    std::string moduleName(NodeId id) const;

private:
    friend class DifferenceTreeBuilder;

    CostKind m_kind = CostKind::Live;
    Certainty m_certainty = Certainty::Exact;
    std::vector<DifferenceNode> m_nodes;
    std::vector<std::int64_t> m_weights;
    std::array<std::shared_ptr<const FunctionIndex>, 2> m_indexes;
};

/// How fully a difference is coloured: −1 gone or halved (and less), 0 none or not significant, 1 new or doubled (and more); between them by
/// the logarithm of the ratio.
double differenceShade(const Difference &difference);

/// Makes the tree of one compared cost. Pure. Returns nothing when `stop` was requested.
std::optional<DifferenceTree> differenceTree(const ComparedCost &cost, std::stop_token stop = {});

} // namespace model
