// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/reachability.h"

#include <algorithm>

namespace model {

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

/// Tarjan's algorithm with a stack of its own: a lost list can be millions of blocks long.
class Components
{
public:
    Components(const PointerGraph &graph, const Marks &marks)
        : m_graph(graph)
        , m_local(graph.blockCount(), kNone)
    {
        for (std::uint32_t i = 0; i < graph.blockCount(); ++i)
            if (marks.level[i] == HoldLevel::None) {
                m_local[i] = static_cast<std::uint32_t>(m_blocks.size());
                m_blocks.push_back(i);
            }
        m_number.assign(m_blocks.size(), kNone);
        m_low.assign(m_blocks.size(), 0);
        m_component.assign(m_blocks.size(), kNone);
        for (std::uint32_t i = 0; i < m_blocks.size(); ++i)
            if (m_number[i] == kNone)
                visit(i);
    }

    LostBlocks group(const BlockIndex &blocks) const;

private:
    struct Step
    {
        std::uint32_t block;
        std::size_t link;
    };

    void visit(std::uint32_t start)
    {
        begin(start);
        while (!m_path.empty()) {
            Step &step = m_path.back();
            const std::span<const BlockLink> links = m_graph.linksOf(m_blocks[step.block]);
            if (step.link < links.size()) {
                const std::uint32_t next = m_local[links[step.link++].block];
                if (next == kNone)
                    continue;
                if (m_number[next] == kNone)
                    begin(next);
                else if (m_component[next] == kNone)
                    m_low[step.block] = std::min(m_low[step.block], m_number[next]);
                continue;
            }
            const std::uint32_t done = step.block;
            m_path.pop_back();
            if (!m_path.empty())
                m_low[m_path.back().block] = std::min(m_low[m_path.back().block], m_low[done]);
            if (m_low[done] == m_number[done])
                close(done);
        }
    }

    void begin(std::uint32_t block)
    {
        m_number[block] = m_low[block] = m_next++;
        m_open.push_back(block);
        m_path.push_back({block, 0});
    }

    void close(std::uint32_t block)
    {
        std::uint32_t member = kNone;
        while (member != block) {
            member = m_open.back();
            m_open.pop_back();
            m_component[member] = m_components;
        }
        ++m_components;
    }

    std::vector<std::uint32_t> headsOf(const BlockIndex &blocks) const;

    const PointerGraph &m_graph;
    std::vector<std::uint32_t> m_local; ///< by block: its place among the lost ones
    std::vector<std::uint32_t> m_blocks;
    std::vector<std::uint32_t> m_number, m_low, m_component;
    std::vector<std::uint32_t> m_open;
    std::vector<Step> m_path;
    std::uint32_t m_next = 0;
    std::uint32_t m_components = 0;
};

/// By component: its oldest block, if no other component points to it.
std::vector<std::uint32_t> Components::headsOf(const BlockIndex &blocks) const
{
    std::vector<bool> isHeld(m_components, false);
    for (std::uint32_t i = 0; i < m_blocks.size(); ++i)
        for (const BlockLink link : m_graph.linksOf(m_blocks[i]))
            if (const std::uint32_t to = m_local[link.block]; to != kNone && m_component[to] != m_component[i])
                isHeld[m_component[to]] = true;
    std::vector<std::uint32_t> heads(m_components, kNone);
    for (std::uint32_t i = 0; i < m_blocks.size(); ++i) {
        std::uint32_t &head = heads[m_component[i]];
        if (!isHeld[m_component[i]] && (head == kNone || blocks[m_blocks[i]].birthUs < blocks[m_blocks[head]].birthUs))
            head = i;
    }
    return heads;
}

LostBlocks Components::group(const BlockIndex &blocks) const
{
    LostBlocks lost;
    lost.blocks = m_blocks;
    lost.isDirect.assign(m_blocks.size(), false);
    lost.head.assign(m_blocks.size(), kNone);
    std::vector<std::uint32_t> queue;
    const std::vector<std::uint32_t> heads = headsOf(blocks);
    for (const std::uint32_t head : heads)
        if (head != kNone)
            lost.isDirect[head] = true;
    for (std::uint32_t i = 0; i < m_blocks.size(); ++i) {
        if (!lost.isDirect[i])
            continue;
        queue.assign(1, i);
        lost.head[i] = m_blocks[i];
        for (std::size_t at = 0; at < queue.size(); ++at)
            for (const BlockLink link : m_graph.linksOf(m_blocks[queue[at]]))
                if (const std::uint32_t to = m_local[link.block]; to != kNone && lost.head[to] == kNone) {
                    lost.head[to] = m_blocks[i];
                    queue.push_back(to);
                }
    }
    return lost;
}

} // namespace

LostBlocks groupLost(const PointerGraph &graph, const Marks &marks, const BlockIndex &blocks)
{
    return Components(graph, marks).group(blocks);
}

} // namespace model
