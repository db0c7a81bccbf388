// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/layout/flame_layout.h"

#include <algorithm>

namespace model {

namespace {

/// A node whose children wait for being laid out.
struct Pending
{
    NodeId node;
    double x = 0;
    double pixelsPerCost = 0;
    std::uint32_t row = 0;
};

template <typename Tree> class FlameBuilder
{
public:
    FlameBuilder(const Tree &tree, const FlameOptions &options)
        : m_tree(tree)
        , m_options(options)
    {
        m_layout.widthPx = options.widthPx;
    }

    FlameLayout build()
    {
        const std::int64_t whole = total(m_options.zoom);
        if (whole <= 0 || m_options.widthPx <= 0)
            return m_layout;
        addAncestors();
        const std::uint32_t row = m_tree.node(m_options.zoom).depth;
        m_pending.push_back({m_options.zoom, 0, m_options.widthPx / static_cast<double>(whole), row});
        for (std::size_t i = 0; i < m_pending.size(); ++i)
            addChildren(m_pending[i]);
        m_layout.rows = m_layout.rects.back().row + 1;
        return m_layout;
    }

private:
    std::int64_t total(NodeId node) const { return m_tree.total(node, m_options.column); }

    void addAncestors()
    {
        for (NodeId node = m_options.zoom; node.isValid(); node = m_tree.node(node).parent)
            m_layout.rects.push_back({.node = node,
                .width = static_cast<float>(m_options.widthPx),
                .row = m_tree.node(node).depth,
                .total = total(node)});
        std::reverse(m_layout.rects.begin(), m_layout.rects.end());
    }

    void addChildren(const Pending parent)
    {
        double x = parent.x;
        FlameRect remainder{.node = parent.node, .row = parent.row + 1};
        const std::uint32_t count = m_tree.node(parent.node).childCount;
        for (std::uint32_t i = 0; i < count; ++i) {
            const NodeId child = m_tree.child(parent.node, i);
            const std::int64_t cost = total(child);
            if (cost <= 0)
                continue;
            const double width = static_cast<double>(cost) * parent.pixelsPerCost;
            if (width < m_options.leastWidthPx) {
                ++remainder.merged;
                remainder.total += cost;
                continue;
            }
            m_layout.rects.push_back({.node = child,
                .x = static_cast<float>(x),
                .width = static_cast<float>(width),
                .row = parent.row + 1,
                .total = cost});
            m_pending.push_back({child, x, parent.pixelsPerCost, parent.row + 1});
            x += width;
        }
        remainder.x = static_cast<float>(x);
        remainder.width = static_cast<float>(static_cast<double>(remainder.total) * parent.pixelsPerCost);
        if (static_cast<double>(remainder.width) >= m_options.leastWidthPx / 2)
            m_layout.rects.push_back(remainder);
        m_layout.hidden += remainder.merged;
    }

    const Tree &m_tree;
    const FlameOptions m_options;
    FlameLayout m_layout;
    std::vector<Pending> m_pending;
};

} // namespace

std::optional<std::size_t> FlameLayout::at(double x, std::uint32_t row) const
{
    const auto isBefore = [](const FlameRect &rect, const std::pair<std::uint32_t, double> &place) {
        return rect.row != place.first ? rect.row < place.first
                                       : static_cast<double>(rect.x + rect.width) <= place.second;
    };
    const auto found = std::lower_bound(rects.begin(), rects.end(), std::pair(row, x), isBefore);
    if (found == rects.end() || found->row != row || x < static_cast<double>(found->x))
        return std::nullopt;
    return static_cast<std::size_t>(found - rects.begin());
}

FlameLayout flameLayout(const CallTree &tree, const FlameOptions &options)
{
    return FlameBuilder(tree, options).build();
}

FlameLayout flameLayout(const DifferenceTree &tree, const FlameOptions &options)
{
    return FlameBuilder(tree, options).build();
}

} // namespace model
