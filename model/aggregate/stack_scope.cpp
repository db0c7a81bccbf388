// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_scope.h"

#include "model/aggregate/stack_functions.h"

#include <algorithm>
#include <optional>

namespace model {

namespace {

/// How a stack stands to a scope.
struct Match
{
    std::uint32_t reached = 0; ///< so many of the scope's functions lead to it
    bool isOff = false;        ///< goes on with other functions

    friend bool operator==(const Match &, const Match &) = default;
};

/// Says of each stack whether it belongs to a scope.
class ScopeMatcher
{
public:
    ScopeMatcher(const Snapshot &snapshot, const StackScope &scope)
        : m_scope(scope)
        , m_tables(*snapshot.tables)
        , m_functions(snapshot.tables)
        , m_length(static_cast<std::uint32_t>(scope.functions.size()))
    {
        if (scope.kind != StackScope::Kind::FromLeaf)
            matchAll();
    }

    bool isIn(StackId stack)
    {
        return m_scope.kind == StackScope::Kind::FromLeaf ? isFromLeaf(stack)
                                                          : m_matches.at(stack.index()).reached == m_length;
    }
    /// Whether the chosen function is the leaf of a stack that is in the scope.
    bool isSelf(StackId stack)
    {
        return m_scope.kind == StackScope::Kind::FromLeaf ? m_length == 1 : !m_matches[stack.index()].isOff;
    }

private:
    /// Where in the scope a function stands; empty: nowhere.
    std::optional<std::uint32_t> positionOf(FunctionId id)
    {
        constexpr std::int64_t kUnknown = -2;
        constexpr std::int64_t kNowhere = -1;
        if (m_positions.size() <= id.index())
            m_positions.resize(std::max(m_functions.size(), id.index() + 1), kUnknown);
        std::int64_t &position = m_positions[id.index()];
        if (position == kUnknown) {
            const auto found
                = std::find(m_scope.functions.begin(), m_scope.functions.end(), stableFunction(m_functions, id));
            position = found == m_scope.functions.end() ? kNowhere : found - m_scope.functions.begin();
        }
        return position < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(position));
    }

    /// The call of one more function; one that is on the way already goes back to it, as folded recursion does.
    Match after(Match match, std::uint32_t place)
    {
        const auto position = positionOf(m_functions.place(place).function);
        if (position && *position < match.reached)
            return {*position + 1, false};
        if (position && *position == match.reached && (!match.isOff || m_scope.kind == StackScope::Kind::Anywhere))
            return {match.reached + 1, false};
        return {match.reached, true};
    }

    /// Parents precede children, so one pass does.
    void matchAll()
    {
        m_matches.resize(m_tables.stacks.size());
        for (std::size_t i = 0; i < m_matches.size(); ++i) {
            const StackId id(i);
            if (isRoot(id)) {
                const auto end = static_cast<StackEnd>(id.value);
                if (end != StackEnd::ReachedStart)
                    m_matches[i] = after({}, FunctionIndex::endPlace(end));
                continue;
            }
            Match match = m_matches[m_tables.stacks[i].parent.index()];
            const FunctionIndex::Range places = m_functions.placesOf(m_tables.stacks[i].frame);
            for (std::uint32_t place = 0; place < places.count; ++place)
                match = after(match, places.first + place);
            m_matches[i] = match;
        }
    }

    bool isFromLeaf(StackId stack)
    {
        stackPlaces(m_functions, stack, m_places);
        if (m_places.size() < m_length)
            return false;
        for (std::uint32_t i = 0; i < m_length; ++i)
            if (stableFunction(m_functions, m_functions.place(m_places[i]).function) != m_scope.functions[i])
                return false;
        return true;
    }

    const StackScope &m_scope;
    const ProgramTables &m_tables;
    FunctionIndex m_functions;
    std::uint32_t m_length;
    std::vector<std::int64_t> m_positions; ///< by function
    std::vector<Match> m_matches;          ///< by stack
    std::vector<std::uint32_t> m_places;
};

template <typename Row>
void addUp(const std::vector<Row> &rows, CostSource source, ScopeMatcher &matcher, ScopeCost &sum)
{
    for (const Row &row : rows) {
        const bool isIn = matcher.isIn(row.stack);
        const bool isSelf = isIn && matcher.isSelf(row.stack);
        for (const CostInfo &info : kCostKinds) {
            if (info.source != source)
                continue;
            const auto kind = static_cast<std::size_t>(info.kind);
            const std::int64_t cost = costOf(row, info.kind);
            sum.all[kind] += cost;
            sum.total[kind] += isIn ? cost : 0;
            sum.self[kind] += isSelf ? cost : 0;
        }
    }
}

} // namespace

Function stableFunction(const FunctionIndex &functions, FunctionId id)
{
    if (FunctionIndex::isEnd(id))
        return {StringId(0u), ModuleId(), id.value};
    return functions.function(id);
}

StackScope scopeOf(const CallTree &tree, NodeId node)
{
    StackScope scope;
    for (; node.isValid() && node != CallTree::root(); node = tree.node(node).parent)
        scope.functions.push_back(stableFunction(tree.functions(), tree.node(node).function));
    std::reverse(scope.functions.begin(), scope.functions.end());
    scope.kind = tree.order() == TreeOrder::TopDown ? StackScope::Kind::OnPath : StackScope::Kind::FromLeaf;
    return scope;
}

StackScope scopeOf(const FunctionIndex &functions, FunctionId function)
{
    return {StackScope::Kind::Anywhere, {stableFunction(functions, function)}};
}

StackScope pathOf(FunctionIndex &functions, StackId stack, std::size_t line)
{
    std::vector<std::uint32_t> places;
    stackPlaces(functions, stack, places);
    StackScope path;
    for (std::size_t i = places.size(); i-- > std::min(line, places.size());) {
        const Function function = stableFunction(functions, functions.place(places[i]).function);
        const auto folded = std::find(path.functions.begin(), path.functions.end(), function);
        path.functions.erase(folded, path.functions.end());
        path.functions.push_back(function);
    }
    return path;
}

NodeId nodeOf(const CallTree &tree, const StackScope &scope)
{
    if (scope.functions.empty())
        return {};
    if (scope.kind == StackScope::Kind::Anywhere)
        return heaviestNode(tree, scope.functions.back());
    if ((scope.kind == StackScope::Kind::OnPath) != (tree.order() == TreeOrder::TopDown))
        return {};
    NodeId at = CallTree::root();
    for (const Function &wanted : scope.functions) {
        NodeId next;
        for (std::size_t row = 0; row < tree.node(at).childCount && !next.isValid(); ++row)
            if (const NodeId child = tree.child(at, row);
                stableFunction(tree.functions(), tree.node(child).function) == wanted)
                next = child;
        if (!next.isValid())
            return {};
        at = next;
    }
    return at;
}

NodeId heaviestNode(const CallTree &tree, const Function &function)
{
    NodeId heaviest;
    for (std::size_t i = 1; i < tree.size(); ++i)
        if (const NodeId node(i); (!heaviest.isValid() || tree.total(node) > tree.total(heaviest))
            && stableFunction(tree.functions(), tree.node(node).function) == function)
            heaviest = node;
    return heaviest;
}

ScopeCost scopeCost(const Snapshot &snapshot, const StackScope &scope, CostSource source)
{
    ScopeCost sum;
    ScopeMatcher matcher(snapshot, scope);
    if (source == CostSource::Cpu)
        addUp(snapshot.cpu, source, matcher, sum);
    else if (source != CostSource::Heap)
        addUp(snapshot.activities, source, matcher, sum);
    else
        addUp(snapshot.heap, source, matcher, sum);
    for (const HeapCost &row : snapshot.heap)
        sum.freedBytes += source == CostSource::Heap && matcher.isIn(row.stack) ? row.freedBytes : 0;
    return sum;
}

} // namespace model
