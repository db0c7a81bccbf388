// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/dominators.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace model {

namespace {

using Numbers = std::vector<std::uint32_t>;

/// Children of each number, one behind the other: those of n from first[n] to first[n + 1].
struct Adjacency
{
    Numbers first;
    Numbers items;
};

/// Numbers are those of a depth-first search from number 0, which stands for all roots.
class Dominators
{
public:
    Dominators(const PointerGraph &graph, const Marks &marks)
        : m_graph(graph)
        , m_numberOf(graph.blockCount(), 0)
    {
        search(marks);
        findSemidominators();
        findDominators();
    }

    Retained retained(const BlockIndex &blocks) const;

private:
    std::uint32_t count() const { return static_cast<std::uint32_t>(m_blockOf.size()); }
    void search(const Marks &marks);
    void enter(std::uint32_t block, std::uint32_t parent);
    Adjacency predecessors() const;
    std::uint32_t eval(std::uint32_t number, std::uint32_t lastLinked);
    void findSemidominators();
    void findDominators();
    Adjacency children() const;
    void sumByNode(const BlockIndex &blocks, Retained &retained) const;

    struct Step
    {
        std::uint32_t number;
        std::size_t link;
    };

    const PointerGraph &m_graph;
    Numbers m_numberOf;   ///< by block; 0: not reached
    Numbers m_blockOf{0}; ///< by number
    Numbers m_parent{0};
    Numbers m_dominator;
    Numbers m_semi, m_label;
    std::vector<Step> m_path;
    Numbers m_chain;
};

void Dominators::enter(std::uint32_t block, std::uint32_t parent)
{
    const std::uint32_t number = count();
    m_numberOf[block] = number;
    m_blockOf.push_back(block);
    m_parent.push_back(parent);
    m_path.push_back({number, 0});
}

void Dominators::search(const Marks &marks)
{
    for (const PointerGraph::RootLink &root : m_graph.roots) {
        if (marks.level[root.link.block] == HoldLevel::None || m_numberOf[root.link.block] != 0)
            continue;
        enter(root.link.block, 0);
        while (!m_path.empty()) {
            Step &step = m_path.back();
            const auto links = m_graph.linksOf(m_blockOf[step.number]);
            if (step.link == links.size()) {
                m_path.pop_back();
                continue;
            }
            const std::uint32_t next = links[step.link++].block;
            if (m_numberOf[next] == 0)
                enter(next, step.number);
        }
    }
}

Adjacency Dominators::predecessors() const
{
    Adjacency all;
    all.first.assign(m_blockOf.size() + 1, 0);
    const auto forEachLink = [&](auto visit) {
        for (const PointerGraph::RootLink &root : m_graph.roots)
            if (const std::uint32_t to = m_numberOf[root.link.block]; to != 0)
                visit(0u, to);
        for (std::uint32_t from = 1; from < count(); ++from)
            for (const BlockLink link : m_graph.linksOf(m_blockOf[from]))
                visit(from, m_numberOf[link.block]);
    };
    forEachLink([&](std::uint32_t, std::uint32_t to) { ++all.first[to]; });
    std::uint32_t sum = 0;
    for (std::uint32_t &first : all.first)
        first = sum += first;
    all.items.resize(sum);
    forEachLink([&](std::uint32_t from, std::uint32_t to) { all.items[--all.first[to]] = from; });
    return all;
}

/// The label with the least semidominator on the way up from `number`, among the numbers that are linked; makes the way shorter.
std::uint32_t Dominators::eval(std::uint32_t number, std::uint32_t lastLinked)
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

void Dominators::findSemidominators()
{
    const Adjacency before = predecessors();
    m_dominator = m_parent;
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

void Dominators::findDominators()
{
    for (std::uint32_t i = 1; i < count(); ++i) {
        std::uint32_t candidate = m_dominator[i];
        while (candidate > m_semi[i])
            candidate = m_dominator[candidate];
        m_dominator[i] = candidate;
    }
}

Adjacency Dominators::children() const
{
    Adjacency tree;
    tree.first.assign(m_blockOf.size() + 1, 0);
    for (std::uint32_t i = 1; i < count(); ++i)
        ++tree.first[m_dominator[i]];
    std::uint32_t sum = 0;
    for (std::uint32_t &first : tree.first)
        first = sum += first;
    tree.items.resize(sum);
    for (std::uint32_t i = 1; i < count(); ++i)
        tree.items[--tree.first[m_dominator[i]]] = i;
    return tree;
}

Retained Dominators::retained(const BlockIndex &blocks) const
{
    std::vector<BlockSum> sums(m_blockOf.size());
    for (std::uint32_t i = count(); i-- > 1;) {
        sums[i] += {1, static_cast<std::int64_t>(blocks[m_blockOf[i]].size)};
        sums[m_dominator[i]] += sums[i];
    }
    Retained result;
    result.byBlock.resize(m_graph.blockCount());
    for (std::uint32_t i = 1; i < count(); ++i)
        result.byBlock[m_blockOf[i]] = sums[i];
    sumByNode(blocks, result);
    return result;
}

/// A block below another one of its stack is in that one's sum already.
void Dominators::sumByNode(const BlockIndex &blocks, Retained &retained) const
{
    const Adjacency tree = children();
    Numbers above; // by node: how many of its blocks the way from the root leads through
    std::vector<Step> path{{0, 0}};
    while (!path.empty()) {
        Step &step = path.back();
        const std::size_t at = tree.first[step.number] + step.link++;
        if (at < tree.first[step.number + 1]) {
            const std::uint32_t next = tree.items[at];
            const ScanBlock &block = blocks[m_blockOf[next]];
            const auto node = static_cast<std::size_t>(block.node);
            if (node >= above.size()) {
                above.resize(node + 1, 0);
                retained.byNode.resize(node + 1);
            }
            if (above[node]++ == 0)
                retained.byNode[node] += retained.byBlock[m_blockOf[next]];
            path.push_back({next, 0});
            continue;
        }
        if (step.number != 0)
            --above[static_cast<std::size_t>(blocks[m_blockOf[step.number]].node)];
        path.pop_back();
    }
}

} // namespace

Retained retainedSizes(const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks)
{
    return Dominators(graph, marks).retained(blocks);
}

} // namespace model
