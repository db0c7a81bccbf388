// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/reachability.h"

#include <utility>

namespace model {

namespace {

class Marker
{
public:
    explicit Marker(const PointerGraph &graph)
        : m_graph(graph)
    {
        m_marks.level.assign(graph.blockCount(), HoldLevel::None);
        m_marks.holder.assign(graph.blockCount(), 0);
    }

    Marks mark()
    {
        const std::size_t strong = m_graph.strongRoots, all = m_graph.roots.size();
        for (const HoldLevel level : {HoldLevel::Exact, HoldLevel::Interior}) {
            m_done = 0; // what was reached by exact pointers may hold more by its others
            reachFromRoots(0, strong, level);
            flood(level);
            reachFromRoots(strong, all, level);
            flood(level);
        }
        return std::move(m_marks);
    }

private:
    void reachFromRoots(std::size_t first, std::size_t end, HoldLevel level)
    {
        for (std::size_t i = first; i < end; ++i)
            if (level == HoldLevel::Interior || m_graph.roots[i].link.isExact)
                reach(m_graph.roots[i].link.block, Marks::kRootBit | static_cast<std::uint32_t>(i), level);
    }

    void flood(HoldLevel level)
    {
        for (; m_done < m_queue.size(); ++m_done)
            for (const BlockLink link : m_graph.linksOf(m_queue[m_done]))
                if (level == HoldLevel::Interior || link.isExact)
                    reach(link.block, m_queue[m_done], level);
    }

    void reach(std::uint32_t block, std::uint32_t holder, HoldLevel level)
    {
        if (m_marks.level[block] != HoldLevel::None)
            return;
        m_marks.level[block] = level;
        m_marks.holder[block] = holder;
        m_queue.push_back(block);
    }

    const PointerGraph &m_graph;
    Marks m_marks;
    std::vector<std::uint32_t> m_queue;
    std::size_t m_done = 0;
};

} // namespace

Marks markReachable(const PointerGraph &graph) { return Marker(graph).mark(); }

} // namespace model
