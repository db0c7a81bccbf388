// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/reachability.h"

#include <algorithm>
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
        reachFromRoots(0, strong, HoldLevel::Exact);
        flood(HoldLevel::Exact);
        reachFromRoots(strong, all, HoldLevel::Exact);
        flood(HoldLevel::Exact);
        // What was reached by exact pointers may hold more by its others.
        reachFromRoots(0, strong, HoldLevel::Interior);
        for (const Later &later : m_later)
            reach(later.block, later.holder, HoldLevel::Interior);
        flood(HoldLevel::Interior);
        reachFromRoots(strong, all, HoldLevel::Interior);
        flood(HoldLevel::Interior);
        return std::move(m_marks);
    }

private:
    /// A block to which a block that is reached exactly has a pointer into the middle.
    struct Later
    {
        std::uint32_t block;
        std::uint32_t holder;
    };

    void reachFromRoots(std::size_t first, std::size_t end, HoldLevel level)
    {
        for (std::size_t i = first; i < end; ++i)
            if (level == HoldLevel::Interior || m_graph.roots[i].link.isExact)
                reach(m_graph.roots[i].link.block, Marks::kRootBit | static_cast<std::uint32_t>(i), level);
    }

    void flood(HoldLevel level)
    {
        for (; m_done < m_queue.size(); ++m_done) {
            fetchAhead();
            const std::uint32_t holder = m_queue[m_done];
            for (const BlockLink link : m_graph.linksOf(holder)) {
                if (level == HoldLevel::Interior || link.isExact)
                    reach(link.block, holder, level);
                else if (m_marks.level[link.block] == HoldLevel::None)
                    m_later.push_back({link.block, holder});
            }
        }
    }

    /// Asks for the memory of what comes next in the queue: its links lie anywhere, and so does what they lead to.
    void fetchAhead() const
    {
        constexpr std::size_t kNear = 4, kStep = 8, kMostLinks = 8;
        if (m_done + kNear + 2 * kStep < m_queue.size())
            __builtin_prefetch(&m_graph.first[m_queue[m_done + kNear + 2 * kStep]]);
        if (m_done + kNear + kStep < m_queue.size())
            __builtin_prefetch(m_graph.linksOf(m_queue[m_done + kNear + kStep]).data());
        if (m_done + kNear >= m_queue.size())
            return;
        const std::span<const BlockLink> links = m_graph.linksOf(m_queue[m_done + kNear]);
        for (const BlockLink link : links.first(std::min(links.size(), kMostLinks))) {
            __builtin_prefetch(&m_marks.level[link.block], 1);
            __builtin_prefetch(&m_marks.holder[link.block], 1);
        }
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
    std::vector<Later> m_later; ///< in the order of the queue
};

} // namespace

Marks markReachable(const PointerGraph &graph) { return Marker(graph).mark(); }

} // namespace model
