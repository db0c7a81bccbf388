// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/dominators.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace model {

namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr std::size_t kAhead = 16; ///< how far ahead memory is asked for where the way is known

/// Children of each number, one behind the other: those of n from first[n] to first[n + 1].
struct Adjacency
{
    Numbers first;
    Numbers items;
};

/// Numbers are those of a depth-first search from number 0, which stands for all roots. Blocks lie anywhere in memory, and whatever is asked
/// of one is a cache miss; numbers that follow each other mostly belong together. So each block is asked once, and all else goes by number.
/// `Position` has room for the positions of all links.
template <typename Position> class Dominators
{
public:
    explicit Dominators(const PointerGraph &graph)
        : m_graph(graph)
    {
    }

    Retained find(const Marks &marks, const BlockIndex &blocks, const std::stop_token &stop);

private:
    /// A block in the search.
    struct Node
    {
        Position first;       ///< position of its first link
        std::uint32_t number; ///< 0: not reached
    };
    /// A link that is not the one by which the search came to where it leads.
    struct Edge
    {
        std::uint32_t from, to;
    };
    struct Step
    {
        Position link, end;
        std::uint32_t number;
    };
    struct Visit
    {
        std::uint32_t number;
        std::uint32_t child;
    };

    std::uint32_t count() const { return static_cast<std::uint32_t>(m_blockOf.size()); }
    void search(const Marks &marks);
    void enter(std::uint32_t block, std::uint32_t parent);
    void fetchLink(Position link, Position end) const;
    Adjacency predecessors();
    std::uint32_t eval(std::uint32_t number, std::uint32_t lastLinked);
    void findSemidominators();
    void findDominators();
    Adjacency children();
    Retained retained(const BlockIndex &blocks);
    void sumByNode(Retained &retained);

    const PointerGraph &m_graph;
    std::vector<Node> m_nodes; ///< by block, and one more; of the search alone
    std::vector<Step> m_path;
    std::vector<Edge> m_edges;
    Numbers m_blockOf{0}; ///< by number
    Numbers m_parent{0};
    Numbers m_dominator;
    Numbers m_semi, m_label;
    Numbers m_chain;
};

template <typename Position> void Dominators<Position>::enter(std::uint32_t block, std::uint32_t parent)
{
    Node &node = m_nodes[block];
    node.number = count();
    m_blockOf.push_back(block);
    m_parent.push_back(parent);
    m_path.push_back({node.first, m_nodes[block + 1].first, node.number});
    for (Position link = node.first; link < node.first + 4; ++link)
        fetchLink(link, m_path.back().end);
}

template <typename Position> void Dominators<Position>::fetchLink(Position link, Position end) const
{
    if (link < end)
        __builtin_prefetch(&m_nodes[m_graph.links[link].block], 1);
}

template <typename Position> void Dominators<Position>::search(const Marks &marks)
{
    m_nodes.resize(m_graph.first.size());
    for (std::size_t i = 0; i < m_nodes.size(); ++i)
        m_nodes[i] = {static_cast<Position>(m_graph.first[i]), 0};
    // Room that is not used costs nothing, and growing does.
    m_blockOf.reserve(m_nodes.size() + 1);
    m_parent.reserve(m_nodes.size() + 1);
    m_edges.reserve(m_graph.links.size() + m_graph.roots.size());
    for (const PointerGraph::RootLink &root : m_graph.roots) {
        if (marks.level[root.link.block] == HoldLevel::None)
            continue;
        if (const std::uint32_t known = m_nodes[root.link.block].number; known != 0) {
            m_edges.push_back({0, known});
            continue;
        }
        enter(root.link.block, 0);
        while (!m_path.empty()) {
            Step &step = m_path.back();
            if (step.link == step.end) {
                m_path.pop_back();
                continue;
            }
            const std::uint32_t next = m_graph.links[step.link++].block;
            fetchLink(step.link + 4, step.end);
            if (step.link + 2 < step.end)
                __builtin_prefetch(m_graph.links.data() + m_nodes[m_graph.links[step.link + 2].block].first);
            const std::uint32_t from = step.number;
            if (const std::uint32_t known = m_nodes[next].number; known != 0)
                m_edges.push_back({from, known});
            else
                enter(next, from);
        }
    }
    m_nodes = {};
    m_path = {};
}

template <typename Position> Adjacency Dominators<Position>::predecessors()
{
    Adjacency all;
    all.first.assign(m_blockOf.size() + 1, 0);
    for (const Edge &edge : m_edges)
        ++all.first[edge.to];
    std::uint32_t sum = 0;
    for (std::uint32_t &first : all.first)
        first = sum += first;
    all.items.resize(sum);
    for (const Edge &edge : m_edges)
        all.items[--all.first[edge.to]] = edge.from;
    m_edges = {};
    return all;
}

/// The label with the least semidominator on the way up from `number`, among the numbers that are linked; makes the way shorter.
template <typename Position> std::uint32_t Dominators<Position>::eval(std::uint32_t number, std::uint32_t lastLinked)
{
    if (m_parent[number] < lastLinked)
        return m_label[number];
    m_chain.clear();
    do {
        m_chain.push_back(number);
        number = m_parent[number];
    } while (m_parent[number] >= lastLinked);
    std::uint32_t above = number;
    std::uint32_t best = m_label[above];
    while (!m_chain.empty()) {
        number = m_chain.back();
        m_chain.pop_back();
        m_parent[number] = m_parent[above];
        if (m_semi[best] < m_semi[m_label[number]])
            m_label[number] = best;
        else
            best = m_label[number];
        above = number;
    }
    return m_label[above];
}

template <typename Position> void Dominators<Position>::findSemidominators()
{
    const Adjacency before = predecessors();
    m_dominator = m_parent;
    m_semi.reserve(m_blockOf.size() + 1);
    m_semi.resize(m_blockOf.size());
    m_label.resize(m_blockOf.size());
    for (std::uint32_t i = 0; i < count(); ++i)
        m_semi[i] = m_label[i] = i;
    for (std::uint32_t i = count(); i-- > 1;) {
        std::uint32_t least = m_dominator[i]; // its parent in the search
        for (std::uint32_t at = before.first[i]; at < before.first[i + 1]; ++at)
            least = std::min(least, m_semi[eval(before.items[at], i + 1)]);
        m_semi[i] = least;
    }
}

template <typename Position> void Dominators<Position>::findDominators()
{
    for (std::uint32_t i = 1; i < count(); ++i) {
        std::uint32_t candidate = m_dominator[i];
        while (candidate > m_semi[i])
            candidate = m_dominator[candidate];
        m_dominator[i] = candidate;
    }
}

/// Of the tree of dominators. In memory that is not used any more.
template <typename Position> Adjacency Dominators<Position>::children()
{
    Adjacency tree{std::move(m_semi), std::move(m_label)};
    tree.first.assign(m_blockOf.size() + 1, 0);
    for (std::uint32_t i = 1; i < count(); ++i)
        ++tree.first[m_dominator[i]];
    std::uint32_t sum = 0;
    for (std::uint32_t &first : tree.first)
        first = sum += first;
    for (std::uint32_t i = 1; i < count(); ++i)
        tree.items[--tree.first[m_dominator[i]]] = i;
    return tree;
}

template <typename Position> Retained Dominators<Position>::retained(const BlockIndex &blocks)
{
    Retained result;
    result.sums.resize(m_blockOf.size());
    result.nodes = std::move(m_parent);
    for (std::size_t i = 1; i < m_blockOf.size(); ++i) {
        if (i + kAhead < m_blockOf.size())
            __builtin_prefetch(&blocks[m_blockOf[i + kAhead]]);
        const ScanBlock &block = blocks[m_blockOf[i]];
        result.sums[i] = {1, static_cast<std::int64_t>(block.size)};
        result.nodes[i] = static_cast<std::uint32_t>(block.node);
    }
    for (std::uint32_t i = count(); i-- > 1;)
        result.sums[m_dominator[i]] += result.sums[i];
    sumByNode(result);
    result.blocks = std::move(m_blockOf);
    // Number 0 is no block.
    for (std::vector<std::uint32_t> *list : {&result.blocks, &result.nodes}) {
        list->front() = list->back();
        list->pop_back();
    }
    result.sums.front() = result.sums.back();
    result.sums.pop_back();
    return result;
}

/// A block below another one of its stack is in that one's sum already.
template <typename Position> void Dominators<Position>::sumByNode(Retained &retained)
{
    retained.nodes.front() = 0;
    const std::size_t nodes = std::size_t{1} + *std::max_element(retained.nodes.begin(), retained.nodes.end());
    Numbers above(nodes, 0); // by node: how many of its blocks the way from the root leads through
    retained.byNode.resize(nodes);
    const Adjacency tree = children();
    std::vector<Visit> path{{0, tree.first[0]}};
    while (!path.empty()) {
        Visit &visit = path.back();
        if (visit.child == tree.first[visit.number + 1]) {
            if (visit.number != 0)
                --above[retained.nodes[visit.number]];
            path.pop_back();
            continue;
        }
        const std::uint32_t next = tree.items[visit.child++];
        const std::uint32_t node = retained.nodes[next];
        if (above[node] == 0)
            retained.byNode[node] += retained.sums[next];
        if (tree.first[next] == tree.first[next + 1])
            continue; // nothing below it
        ++above[node];
        path.push_back({next, tree.first[next]});
    }
}

template <typename Position>
Retained Dominators<Position>::find(const Marks &marks, const BlockIndex &blocks, const std::stop_token &stop)
{
    search(marks);
    if (stop.stop_requested())
        return {};
    findSemidominators();
    if (stop.stop_requested())
        return {};
    findDominators();
    return retained(blocks);
}

} // namespace

Retained retainedSizes(
    const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks, const std::stop_token &stop)
{
    if (graph.links.size() < UINT32_MAX)
        return Dominators<std::uint32_t>(graph).find(marks, blocks, stop);
    return Dominators<std::uint64_t>(graph).find(marks, blocks, stop);
}

} // namespace model
