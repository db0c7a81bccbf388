// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/bottom_up_tree.h"

#include "model/aggregate/stack_functions.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace model {

namespace {

constexpr std::size_t kStopCheckRows = 1024;

/// Groups the stacks by their leaf, then each group by its callers, and so on: a group is a range of m_rows, which is
/// sorted in place.
class BottomUpBuilder
{
public:
    BottomUpBuilder(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs, double leastShare)
        : m_functions(std::make_shared<FunctionIndex>(std::move(tables)))
        , m_costs(costs)
        , m_rows(costs.stacks.size())
    {
        std::iota(m_rows.begin(), m_rows.end(), 0u);
        std::int64_t all = 0;
        for (std::size_t row = 0; row < costs.stacks.size(); ++row)
            all += std::abs(costs.of(row)[0]);
        m_leastWeight = leastShare * static_cast<double>(all);
    }

    bool flatten(const std::stop_token &stop)
    {
        std::vector<std::uint32_t> places;
        for (std::size_t row = 0; row < m_costs.stacks.size(); ++row) {
            if (row % kStopCheckRows == 0 && stop.stop_requested())
                return false;
            stackPlaces(*m_functions, m_costs.stacks[row], places);
            m_begin.push_back(m_places.size());
            m_places.insert(m_places.end(), places.begin(), places.end());
        }
        m_begin.push_back(m_places.size());
        return true;
    }

    bool group(const std::stop_token &stop)
    {
        addNode({.function = FunctionIndex::endFunction(StackEnd::ReachedStart)}, 0, m_rows.size(), 0);
        for (std::size_t node = 0; node < m_nodes.size(); ++node) {
            if (node % kStopCheckRows == 0 && stop.stop_requested())
                return false;
            open(node);
        }
        return true;
    }

    CallTreeParts takeParts()
    {
        return {.nodes = std::move(m_nodes),
            .self = std::move(m_self),
            .total = std::move(m_total),
            .functions = std::move(m_functions)};
    }

private:
    struct Range
    {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint32_t depth = 0; ///< how many functions of the stacks lie on the way to the node
    };

    bool endsAt(std::uint32_t row, std::uint32_t depth) const { return m_begin[row] + depth >= m_begin[row + 1]; }
    const FunctionPlace &placeAt(std::uint32_t row, std::uint32_t depth) const
    {
        return m_functions->place(m_places[m_begin[row] + depth]);
    }

    void addNode(CallNode node, std::size_t begin, std::size_t end, std::uint32_t depth)
    {
        const std::size_t kinds = m_costs.kinds;
        m_self.resize(m_self.size() + kinds);
        m_total.resize(m_total.size() + kinds);
        std::int64_t *self = m_self.data() + m_nodes.size() * kinds;
        std::int64_t *total = m_total.data() + m_nodes.size() * kinds;
        std::int64_t heaviest = -1;
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t row = m_rows[i];
            const std::span<const std::int64_t> costs = m_costs.of(row);
            for (std::size_t k = 0; k < kinds; ++k) {
                total[k] += costs[k];
                self[k] += endsAt(row, depth) ? costs[k] : 0;
            }
            if (depth == 0 || std::abs(costs[0]) <= heaviest)
                continue;
            heaviest = std::abs(costs[0]);
            const FunctionPlace &place = placeAt(row, depth - 1);
            node.stack = m_costs.stacks[row];
            node.file = place.file;
            node.line = place.line;
            node.isInlined = place.isInlined;
        }
        m_nodes.push_back(node);
        m_ranges.push_back({begin, end, depth});
    }

    void open(std::size_t node)
    {
        const Range range = m_ranges[node];
        const auto hasCaller = [&](std::uint32_t row) { return !endsAt(row, range.depth); };
        const auto first = m_rows.begin() + static_cast<std::ptrdiff_t>(range.begin);
        const auto last = std::partition(first, m_rows.begin() + static_cast<std::ptrdiff_t>(range.end), hasCaller);
        if (first == last)
            return;
        const auto weight = static_cast<double>(std::abs(m_total[node * m_costs.kinds]));
        if (node > 0 && weight < m_leastWeight) {
            m_nodes[node].isCut = true;
            return;
        }
        const auto function = [&](std::uint32_t row) { return placeAt(row, range.depth).function; };
        std::sort(first, last, [&](std::uint32_t a, std::uint32_t b) {
            return function(a) != function(b) ? function(a) < function(b) : a < b;
        });
        for (auto begin = first; begin != last;) {
            const auto end
                = std::find_if(begin, last, [&](std::uint32_t row) { return function(row) != function(*begin); });
            addNode({.parent = NodeId(node), .function = function(*begin)},
                static_cast<std::size_t>(begin - m_rows.begin()), static_cast<std::size_t>(end - m_rows.begin()),
                range.depth + 1);
            begin = end;
        }
    }

    std::shared_ptr<FunctionIndex> m_functions;
    const StackCosts &m_costs;
    double m_leastWeight = 0;
    std::vector<std::uint32_t> m_places; ///< of all stacks, leaf first
    std::vector<std::size_t> m_begin;    ///< by row, into m_places; one more at the end
    std::vector<std::uint32_t> m_rows;
    std::vector<CallNode> m_nodes;
    std::vector<Range> m_ranges; ///< by node
    std::vector<std::int64_t> m_self;
    std::vector<std::int64_t> m_total;
};

} // namespace

std::optional<CallTreeParts> bottomUpTree(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs,
    double leastShare, const std::stop_token &stop)
{
    BottomUpBuilder builder(std::move(tables), costs, leastShare);
    if (!builder.flatten(stop) || !builder.group(stop))
        return std::nullopt;
    return builder.takeParts();
}

} // namespace model
