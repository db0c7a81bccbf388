// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/difference_tree.h"

#include "model/compare/cost_evidence.h"
#include "model/compare/multiple_tests.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <unordered_map>

namespace model {

/// Puts groups into a tree, then adds up, judges and orders it.
class DifferenceTreeBuilder
{
public:
    explicit DifferenceTreeBuilder(const ComparedCost &cost)
        : m_comparison(cost.comparison)
        , m_sessions(cost.sessions)
    {
        m_tree.m_kind = m_comparison.kind;
        m_tree.m_certainty = m_comparison.certainty;
        m_tree.m_indexes = {m_comparison.indexes[0], m_comparison.indexes[1]};
    }

    std::optional<DifferenceTree> make(std::stop_token stop)
    {
        addFunctions();
        m_raw.emplace_back();
        for (const Side side : kSides) {
            addStacks(side);
            if (stop.stop_requested())
                return std::nullopt;
        }
        addUp();
        order();
        judge();
        if (stop.stop_requested())
            return std::nullopt;
        return std::move(m_tree);
    }

private:
    /// A node in the order in which it was found.
    struct Raw
    {
        std::uint32_t parent = 0;
        MatchId function;
        std::array<CostEvidence, 2> self;
        std::array<CostEvidence, 2> total;
        double weight = 0; ///< of all that goes through
        std::vector<std::uint32_t> children;
    };

    void addFunctions()
    {
        m_shown.resize(m_comparison.matching->functions().size());
        for (const FunctionDifference &row : m_comparison.functions)
            m_shown[row.function.index()] = {row.side, row.shown};
    }

    std::uint32_t child(std::uint32_t parent, MatchId function)
    {
        const std::uint64_t key = (std::uint64_t{parent} << 32) | function.value;
        const auto [at, isNew] = m_children.try_emplace(key, static_cast<std::uint32_t>(m_raw.size()));
        if (isNew) {
            m_raw.push_back({.parent = parent, .function = function, .self = {}, .total = {}, .children = {}});
            m_raw[parent].children.push_back(at->second);
        }
        return at->second;
    }

    std::uint32_t nodeOf(SequenceId group)
    {
        const auto [at, isNew] = m_groups.try_emplace(group.value, 0);
        if (!isNew)
            return at->second;
        const std::vector<MatchId> functions = m_comparison.matching->functionsOf(group);
        std::uint32_t node = 0;
        for (auto function = functions.rbegin(); function != functions.rend(); ++function)
            node = child(node, *function);
        return at->second = node;
    }

    void addStacks(Side side)
    {
        const std::size_t s = sideIndex(side);
        const StackEvidence own = stackEvidence(*m_sessions[s].snapshot, m_comparison.kind);
        for (std::size_t i = 0; i < own.stacks.size(); ++i)
            m_raw[nodeOf(m_comparison.matching->group(side, own.stacks[i]))].self[s] += own.costs[i];
    }

    /// Children follow their parents, so one walk from the end adds everything up.
    void addUp()
    {
        for (std::size_t i = m_raw.size(); i-- > 0;) {
            Raw &node = m_raw[i];
            for (const Side side : kSides) {
                const std::size_t s = sideIndex(side);
                node.total[s] += node.self[s];
                node.weight += std::abs(static_cast<double>(node.self[s].cost)) / m_comparison.units.works[s];
                if (i > 0)
                    m_raw[node.parent].total[s] += node.total[s];
            }
            if (i > 0)
                m_raw[node.parent].weight += node.weight;
        }
    }

    /// Numbers the nodes so that children are neighbours, the heaviest first.
    void order()
    {
        std::vector<std::uint32_t> rawOf{0};
        m_tree.m_nodes.assign(1, {});
        for (std::size_t i = 0; i < rawOf.size(); ++i) {
            std::vector<std::uint32_t> &children = m_raw[rawOf[i]].children;
            std::stable_sort(children.begin(), children.end(),
                [this](std::uint32_t a, std::uint32_t b) { return m_raw[a].weight > m_raw[b].weight; });
            m_tree.m_nodes[i].firstChild = NodeId(m_tree.m_nodes.size());
            m_tree.m_nodes[i].childCount = static_cast<std::uint32_t>(children.size());
            for (const std::uint32_t child : children) {
                DifferenceNode node{.parent = NodeId(i), .firstChild = {}, .function = {}, .self = {}, .total = {}};
                node.depth = m_tree.m_nodes[i].depth + 1;
                std::tie(node.side, node.function) = m_shown[m_raw[child].function.index()];
                m_tree.m_nodes.push_back(node);
                rawOf.push_back(child);
            }
        }
        const double whole = m_raw[0].weight;
        for (std::size_t i = 0; i < rawOf.size(); ++i) {
            const Raw &raw = m_raw[rawOf[i]];
            m_tree.m_nodes[i].self = differenceOf(raw.self[0], raw.self[1], m_comparison.units, m_comparison.certainty);
            m_tree.m_nodes[i].total
                = differenceOf(raw.total[0], raw.total[1], m_comparison.units, m_comparison.certainty);
            m_tree.m_weights.push_back(whole > 0 ? static_cast<std::int64_t>(std::floor(
                                           raw.weight / whole * static_cast<double>(DifferenceTree::kWholeWeight)))
                                                 : 0);
        }
    }

    void judge()
    {
        if (m_comparison.certainty != Certainty::Estimated)
            return;
        constexpr double kFalseDiscoveries = 0.05;
        std::vector<double> pValues;
        for (const DifferenceNode &node : m_tree.m_nodes)
            pValues.push_back(node.total.pValue);
        const std::vector<double> raised = benjaminiHochberg(pValues);
        for (std::size_t i = 0; i < raised.size(); ++i)
            m_tree.m_nodes[i].total.isSignificant = raised[i] <= kFalseDiscoveries;
    }

    const Comparison &m_comparison;
    const std::array<ComparedSession, 2> &m_sessions;
    std::vector<std::pair<Side, FunctionId>> m_shown; ///< by match
    std::vector<Raw> m_raw;
    std::unordered_map<std::uint64_t, std::uint32_t> m_children; ///< by parent and function
    std::unordered_map<std::uint32_t, std::uint32_t> m_groups;   ///< node by group
    DifferenceTree m_tree;
};

DifferenceTree::DifferenceTree()
    : m_nodes(1)
    , m_weights{}
{
}

NodeId DifferenceTree::child(NodeId parent, std::size_t row) const
{
    return NodeId(node(parent).firstChild.index() + row);
}

std::size_t DifferenceTree::rowOf(NodeId id) const
{
    const NodeId parent = node(id).parent;
    return parent.isValid() ? id.index() - node(parent).firstChild.index() : 0;
}

std::int64_t DifferenceTree::total(NodeId id, std::size_t) const
{
    return id.index() < m_weights.size() ? m_weights[id.index()] : 0;
}

std::string DifferenceTree::name(NodeId id) const
{
    const DifferenceNode &at = node(id);
    return at.function.isValid() ? m_indexes[sideIndex(at.side)]->name(at.function) : std::string();
}

std::string DifferenceTree::moduleName(NodeId id) const
{
    const DifferenceNode &at = node(id);
    return at.function.isValid() ? std::string(m_indexes[sideIndex(at.side)]->moduleName(at.function)) : std::string();
}

double differenceShade(const Difference &difference)
{
    if (!difference.isSignificant || difference.a == difference.b)
        return 0;
    if (difference.a <= 0 || difference.b <= 0)
        return difference.change() > 0 ? 1 : -1;
    return std::clamp(std::log2(difference.b / difference.a), -1.0, 1.0);
}

std::optional<DifferenceTree> differenceTree(const ComparedCost &cost, std::stop_token stop)
{
    return DifferenceTreeBuilder(cost).make(stop);
}

} // namespace model
