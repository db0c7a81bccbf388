// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/reach_summary.h"

#include <algorithm>

namespace model {

namespace {

constexpr std::size_t kLongestWay = 64; ///< steps that are kept: the first ones and the last ones

class Summary
{
public:
    Summary(const BlockIndex &blocks, const PointerGraph &graph, const Marks &marks, const ReachParameters &parameters)
        : m_blocks(blocks)
        , m_graph(graph)
        , m_marks(marks)
        , m_parameters(parameters)
    {
    }

    ReachSummary make(const std::stop_token &stop);

private:
    ScannedNode &nodeOf(std::uint32_t block);
    void addHeld();
    void addLost();
    void addRetained(const Retained &retained);
    void addPaths(const Retained &retained);
    NodePath pathTo(std::uint32_t block, const BlockSum &retained) const;

    BlockSum sumOf(std::uint32_t block) const { return {1, static_cast<std::int64_t>(m_blocks[block].size)}; }
    bool isUnjudged(std::uint32_t block) const
    {
        const std::int64_t birthUs = m_blocks[block].birthUs;
        return m_parameters.nowUs - birthUs < m_parameters.minAgeUs || birthUs < m_parameters.firstBirthUs;
    }
    void add(std::uint32_t block, ReachClass reach)
    {
        nodeOf(block).sums[static_cast<std::size_t>(reach)] += sumOf(block);
        m_summary.sums[static_cast<std::size_t>(reach)] += sumOf(block);
    }

    const BlockIndex &m_blocks;
    const PointerGraph &m_graph;
    const Marks &m_marks;
    const ReachParameters &m_parameters;
    ReachSummary m_summary;
    std::vector<std::uint32_t> m_placeOf; ///< by node: place in m_summary.nodes + 1
};

ScannedNode &Summary::nodeOf(std::uint32_t block)
{
    const auto node = static_cast<std::uint32_t>(m_blocks[block].node);
    if (node >= m_placeOf.size())
        m_placeOf.resize(node + 1, 0);
    if (m_placeOf[node] == 0) {
        m_summary.nodes.push_back({});
        m_summary.nodes.back().node = node;
        m_placeOf[node] = static_cast<std::uint32_t>(m_summary.nodes.size());
    }
    return m_summary.nodes[m_placeOf[node] - 1];
}

void Summary::addHeld()
{
    for (std::uint32_t i = 0; i < m_blocks.size(); ++i)
        if (m_marks.level[i] != HoldLevel::None)
            add(i, m_marks.level[i] == HoldLevel::Exact ? ReachClass::Reachable : ReachClass::Possibly);
}

void Summary::addLost()
{
    const LostBlocks lost = groupLost(m_graph, m_marks, m_blocks);
    for (std::size_t i = 0; i < lost.blocks.size(); ++i) {
        const std::uint32_t block = lost.blocks[i];
        if (isUnjudged(block)) {
            add(block, ReachClass::Unjudged);
            continue;
        }
        add(block, lost.isDirect[i] ? ReachClass::Directly : ReachClass::Indirectly);
        // What is behind a block that is not judged is held by nobody who is blamed.
        if (lost.head[i] != BlockIndex::kNone && !isUnjudged(lost.head[i]))
            nodeOf(lost.head[i]).held += sumOf(block);
        const LostBlock name{m_blocks[block].address, m_blocks[block].birthUs};
        m_summary.lost.push_back(name);
        if (std::binary_search(m_parameters.earlier.begin(), m_parameters.earlier.end(), name)) {
            nodeOf(block).confirmed += sumOf(block);
            m_summary.confirmed += sumOf(block);
        }
    }
}

void Summary::addRetained(const Retained &retained)
{
    for (ScannedNode &node : m_summary.nodes)
        if (node.node < retained.byNode.size())
            node.retained = retained.byNode[node.node];
}

NodePath Summary::pathTo(std::uint32_t block, const BlockSum &retained) const
{
    NodePath path;
    path.node = static_cast<std::uint32_t>(m_blocks[block].node);
    path.retained = retained;
    std::uint32_t at = block;
    for (;;) {
        const auto node = static_cast<std::uint32_t>(m_blocks[at].node);
        if (!path.way.empty() && path.way.back().node == node)
            ++path.way.back().blocks;
        else
            path.way.push_back({node, 1});
        if ((m_marks.holder[at] & Marks::kRootBit) != 0)
            break;
        at = m_marks.holder[at];
    }
    path.root = m_marks.holder[at] & ~Marks::kRootBit;
    std::reverse(path.way.begin(), path.way.end());
    if (path.way.size() > kLongestWay)
        path.way.erase(path.way.begin() + kLongestWay / 2, path.way.end() - kLongestWay / 2);
    return path;
}

void Summary::addPaths(const Retained &retained)
{
    // The block of each node that retains most; of equals the first one.
    constexpr std::size_t kNone = SIZE_MAX;
    const auto isBefore = [&](std::size_t a, std::size_t b) {
        const std::int64_t first = retained.sums[a].bytes, second = retained.sums[b].bytes;
        return first != second ? first > second : retained.blocks[a] < retained.blocks[b];
    };
    std::vector<std::size_t> best(retained.byNode.size(), kNone); // by node: position in `retained`
    for (std::size_t i = 0; i < retained.blocks.size(); ++i) {
        std::size_t &most = best[retained.nodes[i]];
        if (most == kNone || isBefore(i, most))
            most = i;
    }
    std::erase(best, kNone);
    std::sort(best.begin(), best.end(), isBefore);
    if (best.size() > m_parameters.pathCount)
        best.resize(m_parameters.pathCount);
    for (const std::size_t one : best)
        m_summary.paths.push_back(pathTo(retained.blocks[one], retained.sums[one]));
}

ReachSummary Summary::make(const std::stop_token &stop)
{
    addHeld();
    if (stop.stop_requested())
        return {};
    addLost();
    if (stop.stop_requested())
        return {};
    const Retained retained = retainedSizes(m_graph, m_marks, m_blocks, stop);
    addRetained(retained);
    addPaths(retained);
    return stop.stop_requested() ? ReachSummary() : std::move(m_summary);
}

} // namespace

ReachSummary summarizeReach(const BlockIndex &blocks, const PointerGraph &graph, const Marks &marks,
    const ReachParameters &parameters, const std::stop_token &stop)
{
    return Summary(blocks, graph, marks, parameters).make(stop);
}

} // namespace model
