// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/call_tree.h"

#include "model/aggregate/bottom_up_tree.h"
#include "model/aggregate/stack_costs.h"
#include "model/aggregate/top_down_tree.h"

#include <algorithm>
#include <cstdlib>

namespace model {

namespace {

/// Children of each node of `nodes`, as [first[i], first[i + 1]) in `ids`.
struct ChildLists
{
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> ids;
};

ChildLists childLists(const std::vector<CallNode> &nodes)
{
    ChildLists lists;
    lists.first.assign(nodes.size() + 1, 0);
    for (const CallNode &node : nodes)
        if (node.parent.isValid())
            ++lists.first[node.parent.index() + 1];
    for (std::size_t i = 1; i < lists.first.size(); ++i)
        lists.first[i] += lists.first[i - 1];
    lists.ids.resize(lists.first.back());
    std::vector<std::uint32_t> next(lists.first.begin(), lists.first.end() - 1);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].parent.isValid())
            lists.ids[next[nodes[i].parent.index()]++] = static_cast<std::uint32_t>(i);
    return lists;
}

} // namespace

CallTree::CallTree()
    : CallTree(CallTreeParts{.kinds = {CostKind::Live},
        .nodes = {CallNode{.function = FunctionIndex::endFunction(StackEnd::ReachedStart)}},
        .self = {0},
        .total = {0},
        .functions = std::make_shared<FunctionIndex>(std::make_shared<const ProgramTables>())})
{
}

CallTree::CallTree(CallTreeParts parts)
    : m_order(parts.order)
    , m_kinds(std::move(parts.kinds))
    , m_functions(std::move(parts.functions))
    , m_stackCount(parts.stackCount)
{
    const std::size_t kinds = m_kinds.size();
    ChildLists lists = childLists(parts.nodes);
    std::vector<std::uint32_t> order{0}; // order[new] = old, breadth first
    order.reserve(parts.nodes.size());
    m_nodes.reserve(parts.nodes.size());
    m_nodes.push_back(parts.nodes.front());
    const auto weight = [&parts, kinds](std::uint32_t node) { return std::abs(parts.total[node * kinds]); };
    const auto isBefore = [&](std::uint32_t a, std::uint32_t b) {
        const FunctionId left = parts.nodes[a].function;
        const FunctionId right = parts.nodes[b].function;
        return weight(a) != weight(b) ? weight(a) > weight(b) : m_functions->isBefore(left, right);
    };
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto first = lists.ids.begin() + lists.first[order[i]];
        const auto last = lists.ids.begin() + lists.first[order[i] + 1];
        std::sort(first, last, isBefore);
        m_nodes[i].firstChild = NodeId(order.size());
        m_nodes[i].childCount = static_cast<std::uint32_t>(last - first);
        for (auto child = first; child != last; ++child) {
            order.push_back(*child);
            m_nodes.push_back(parts.nodes[*child]);
            m_nodes.back().parent = NodeId(i);
            m_nodes.back().depth = m_nodes[i].depth + 1;
        }
    }
    for (const std::uint32_t old : order)
        for (std::size_t k = 0; k < kinds; ++k) {
            m_self.push_back(parts.self[old * kinds + k]);
            m_total.push_back(parts.total[old * kinds + k]);
        }
}

NodeId CallTree::child(NodeId parent, std::size_t row) const { return NodeId(node(parent).firstChild.index() + row); }

std::size_t CallTree::rowOf(NodeId id) const
{
    const NodeId parent = node(id).parent;
    return parent.isValid() ? id.index() - node(parent).firstChild.index() : 0;
}

std::int64_t CallTree::self(NodeId id, std::size_t column) const
{
    return m_self.at(id.index() * m_kinds.size() + column);
}

std::int64_t CallTree::total(NodeId id, std::size_t column) const
{
    return m_total.at(id.index() * m_kinds.size() + column);
}

std::optional<CallTree> callTree(
    const Snapshot &snapshot, const std::vector<CostKind> &kinds, const CallTreeOptions &options, std::stop_token stop)
{
    const StackCosts costs = stackCosts(snapshot, kinds);
    std::optional<CallTreeParts> parts = options.order == TreeOrder::TopDown
        ? topDownTree(snapshot.tables, costs, options.recursion, stop)
        : bottomUpTree(snapshot.tables, costs, options.leastShare, stop);
    if (!parts)
        return std::nullopt;
    parts->order = options.order;
    parts->kinds = kinds;
    parts->stackCount = static_cast<std::int64_t>(costs.stacks.size());
    return CallTree(std::move(*parts));
}

} // namespace model
