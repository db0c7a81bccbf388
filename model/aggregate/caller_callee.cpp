// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/caller_callee.h"

#include "model/aggregate/stack_costs.h"
#include "model/aggregate/stack_functions.h"

#include <algorithm>
#include <unordered_map>

namespace model {

namespace {

constexpr std::size_t kStopCheckRows = 1024;

using Edges = std::unordered_map<std::uint32_t, std::int64_t>;

class EdgeGatherer
{
public:
    EdgeGatherer(FunctionIndex &functions, std::string_view name, std::string_view moduleName)
        : m_functions(functions)
        , m_name(name)
        , m_moduleName(moduleName)
    {
    }

    void add(StackId stack, std::int64_t cost)
    {
        stackPlaces(m_functions, stack, m_places);
        m_callers.clear();
        m_callees.clear();
        bool isOn = false;
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            const FunctionId function = at(i);
            if (!isWanted(function))
                continue;
            isOn = true;
            result.function = function;
            if (i == 0)
                result.self += cost;
            else
                m_callees.push_back(at(i - 1).value);
            if (i + 1 < m_places.size())
                m_callers.push_back(at(i + 1).value);
        }
        if (isOn)
            result.total += cost;
        count(m_callers, callers, cost);
        count(m_callees, callees, cost);
    }

    CallerCallee result;
    Edges callers;
    Edges callees;

private:
    FunctionId at(std::size_t i) const { return m_functions.place(m_places[i]).function; }

    bool isWanted(FunctionId function)
    {
        const auto [it, isNew] = m_wanted.try_emplace(function.value, false);
        if (isNew)
            it->second = m_functions.name(function) == m_name
                && (m_moduleName.empty() || m_functions.moduleName(function) == m_moduleName);
        return it->second;
    }

    static void count(std::vector<std::uint32_t> &neighbours, Edges &edges, std::int64_t cost)
    {
        std::sort(neighbours.begin(), neighbours.end());
        const auto last = std::unique(neighbours.begin(), neighbours.end());
        for (auto neighbour = neighbours.begin(); neighbour != last; ++neighbour)
            edges[*neighbour] += cost;
    }

    FunctionIndex &m_functions;
    std::string_view m_name;
    std::string_view m_moduleName;
    std::unordered_map<std::uint32_t, bool> m_wanted;
    std::vector<std::uint32_t> m_places;
    std::vector<std::uint32_t> m_callers;
    std::vector<std::uint32_t> m_callees;
};

std::vector<CallEdge> sorted(const Edges &edges, const FunctionIndex &functions)
{
    std::vector<CallEdge> list;
    for (const auto &[function, cost] : edges)
        list.push_back({FunctionId(function), cost});
    std::sort(list.begin(), list.end(), [&functions](const CallEdge &a, const CallEdge &b) {
        return a.cost != b.cost ? a.cost > b.cost : functions.isBefore(a.function, b.function);
    });
    return list;
}

} // namespace

std::optional<CallerCallee> callerCallee(
    const Snapshot &snapshot, CostKind kind, std::string_view name, std::string_view moduleName, std::stop_token stop)
{
    const StackCosts costs = stackCosts(snapshot, {kind});
    const auto functions = std::make_shared<FunctionIndex>(snapshot.tables);
    EdgeGatherer gatherer(*functions, name, moduleName);
    for (std::size_t row = 0; row < costs.stacks.size(); ++row) {
        if (row % kStopCheckRows == 0 && stop.stop_requested())
            return std::nullopt;
        gatherer.add(costs.stacks[row], costs.of(row)[0]);
    }
    if (!gatherer.result.function.isValid())
        return std::nullopt;
    CallerCallee result = std::move(gatherer.result);
    result.callers = sorted(gatherer.callers, *functions);
    result.callees = sorted(gatherer.callees, *functions);
    result.functions = functions;
    return result;
}

} // namespace model
