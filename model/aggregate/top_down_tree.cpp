// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/top_down_tree.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

namespace model {

namespace {

constexpr std::uint32_t kNone = 0xffffffffu;
constexpr std::size_t kStopCheckRows = 1024;

/// A function of a stack node: the stack tree with inlined functions as nodes of their own. Parents precede children.
struct Entry
{
    std::uint32_t parent = kNone;
    std::uint32_t node = 0; ///< of the call tree
    std::uint32_t place = 0;
    std::uint32_t calls = 1; ///< of the same function on the way to here, this one included; 1 where nothing was folded
    bool isBelowFold = false;
    StackId stack;
};

class TopDownBuilder
{
public:
    TopDownBuilder(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs, Recursion recursion)
        : m_tables(std::move(tables))
        , m_functions(std::make_shared<FunctionIndex>(m_tables))
        , m_costs(costs)
        , m_recursion(recursion)
        , m_entryOf(m_tables->stacks.size(), kNone)
    {
        m_nodes.push_back({.function = FunctionIndex::endFunction(StackEnd::ReachedStart)});
        m_entries.push_back({});
        m_entryOf[0] = 0;
    }

    bool addStacks(const std::stop_token &stop)
    {
        for (std::size_t row = 0; row < m_costs.stacks.size(); ++row) {
            if (row % kStopCheckRows == 0 && stop.stop_requested())
                return false;
            m_rowEntries.push_back(entryOf(m_costs.stacks[row]));
        }
        return true;
    }

    CallTreeParts takeParts()
    {
        addCosts();
        nameHeaviestPlaces();
        return {.nodes = std::move(m_nodes),
            .self = std::move(m_self),
            .total = std::move(m_total),
            .functions = std::move(m_functions)};
    }

private:
    std::uint32_t entryOf(StackId stack)
    {
        m_path.clear();
        while (m_entryOf[stack.index()] == kNone && !isRoot(stack)) {
            m_path.push_back(stack);
            stack = m_tables->stacks[stack.index()].parent;
        }
        std::uint32_t entry = m_entryOf[stack.index()];
        if (entry == kNone)
            entry = m_entryOf[stack.index()]
                = addEntry(0, FunctionIndex::endPlace(static_cast<StackEnd>(stack.value)), StackId());
        for (auto next = m_path.rbegin(); next != m_path.rend(); ++next) {
            const FunctionIndex::Range places = m_functions->placesOf(m_tables->stacks[next->index()].frame);
            for (std::uint32_t i = 0; i < places.count; ++i)
                entry = addEntry(entry, places.first + i, *next);
            m_entryOf[next->index()] = entry;
        }
        return entry;
    }

    std::uint32_t addEntry(std::uint32_t parent, std::uint32_t place, StackId stack)
    {
        const FunctionId function = m_functions->place(place).function;
        Entry entry{.parent = parent, .place = place, .stack = stack};
        const std::uint32_t folded
            = m_recursion == Recursion::Folded ? nodeOnPath(m_entries[parent].node, function) : kNone;
        entry.node = folded == kNone ? childOf(m_entries[parent].node, function) : folded;
        entry.isBelowFold = folded != kNone || m_entries[parent].isBelowFold;
        if (entry.isBelowFold)
            entry.calls = callsOnPath(parent, function) + 1;
        CallNode &node = m_nodes[entry.node];
        node.recursion = std::max(node.recursion, entry.calls);
        m_entries.push_back(entry);
        return static_cast<std::uint32_t>(m_entries.size() - 1);
    }

    std::uint32_t nodeOnPath(std::uint32_t node, FunctionId function) const
    {
        for (NodeId id(node); id.isValid(); id = m_nodes[id.index()].parent)
            if (m_nodes[id.index()].function == function)
                return id.value;
        return kNone;
    }

    std::uint32_t callsOnPath(std::uint32_t entry, FunctionId function) const
    {
        for (; entry != kNone; entry = m_entries[entry].parent)
            if (m_functions->place(m_entries[entry].place).function == function)
                return m_entries[entry].calls;
        return 0;
    }

    std::uint32_t childOf(std::uint32_t parent, FunctionId function)
    {
        const std::uint64_t key = (std::uint64_t{parent} << 32) | function.value;
        const auto [it, isNew] = m_children.try_emplace(key, static_cast<std::uint32_t>(m_nodes.size()));
        if (isNew)
            m_nodes.push_back({.parent = NodeId(parent), .function = function});
        return it->second;
    }

    void addCosts()
    {
        const std::size_t kinds = m_costs.kinds;
        m_self.assign(m_nodes.size() * kinds, 0);
        m_entryTotal.assign(m_entries.size(), 0);
        for (std::size_t row = 0; row < m_rowEntries.size(); ++row) {
            const std::uint32_t entry = m_rowEntries[row];
            for (std::size_t k = 0; k < kinds; ++k)
                m_self[m_entries[entry].node * kinds + k] += m_costs.of(row)[k];
            m_entryTotal[entry] += std::abs(m_costs.of(row)[0]);
        }
        m_total = m_self;
        for (std::size_t node = m_nodes.size(); node-- > 1;)
            for (std::size_t k = 0; k < kinds; ++k)
                m_total[m_nodes[node].parent.index() * kinds + k] += m_total[node * kinds + k];
        for (std::size_t entry = m_entries.size(); entry-- > 1;)
            m_entryTotal[m_entries[entry].parent] += m_entryTotal[entry];
    }

    void nameHeaviestPlaces()
    {
        std::vector<std::int64_t> heaviest(m_nodes.size(), -1);
        for (std::size_t i = 1; i < m_entries.size(); ++i) {
            const Entry &entry = m_entries[i];
            if (m_entryTotal[i] <= heaviest[entry.node])
                continue;
            heaviest[entry.node] = m_entryTotal[i];
            const FunctionPlace &place = m_functions->place(entry.place);
            CallNode &node = m_nodes[entry.node];
            node.stack = entry.stack;
            node.file = place.file;
            node.line = place.line;
            node.isInlined = place.isInlined;
        }
    }

    std::shared_ptr<const ProgramTables> m_tables;
    std::shared_ptr<FunctionIndex> m_functions;
    const StackCosts &m_costs;
    Recursion m_recursion;
    std::vector<std::uint32_t> m_entryOf; ///< by stack: its innermost function's entry
    std::vector<Entry> m_entries;
    std::vector<std::int64_t> m_entryTotal;
    std::vector<std::uint32_t> m_rowEntries;
    std::vector<StackId> m_path;
    std::unordered_map<std::uint64_t, std::uint32_t> m_children;
    std::vector<CallNode> m_nodes;
    std::vector<std::int64_t> m_self;
    std::vector<std::int64_t> m_total;
};

} // namespace

std::optional<CallTreeParts> topDownTree(std::shared_ptr<const ProgramTables> tables, const StackCosts &costs,
    Recursion recursion, const std::stop_token &stop)
{
    TopDownBuilder builder(std::move(tables), costs, recursion);
    if (!builder.addStacks(stop))
        return std::nullopt;
    return builder.takeParts();
}

} // namespace model
