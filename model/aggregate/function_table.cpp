// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_table.h"

#include "model/aggregate/stack_costs.h"
#include "model/aggregate/stack_functions.h"

#include <algorithm>
#include <cstdlib>

namespace model {

namespace {

constexpr std::size_t kStopCheckRows = 1024;

/// A function's row while stacks are added.
struct Gathered
{
    FunctionCost cost;
    std::size_t lastRow = 0; ///< 1 + the last stack that counted
    std::int64_t heaviest = -1;
};

class FunctionGatherer
{
public:
    explicit FunctionGatherer(FunctionIndex &functions)
        : m_functions(functions)
    {
    }

    void add(std::size_t row, StackId stack, std::int64_t cost)
    {
        stackPlaces(m_functions, stack, m_places);
        if (m_rows.size() < m_functions.size())
            m_rows.resize(m_functions.size());
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            const FunctionPlace &place = m_functions.place(m_places[i]);
            Gathered &gathered = m_rows[place.function.index()];
            gathered.cost.function = place.function;
            if (i == 0)
                gathered.cost.self += cost;
            if (gathered.lastRow == row + 1)
                continue;
            gathered.lastRow = row + 1;
            gathered.cost.total += cost;
            ++gathered.cost.stacks;
            // Where the function itself spends outweighs where it only calls.
            const std::int64_t weight = i == 0 ? std::abs(cost) : std::abs(cost) / 2;
            if (weight > gathered.heaviest) {
                gathered.heaviest = weight;
                gathered.cost.file = place.file;
                gathered.cost.line = place.line;
            }
        }
    }

    std::vector<FunctionCost> takeRows()
    {
        std::vector<FunctionCost> rows;
        for (const Gathered &gathered : m_rows)
            if (gathered.lastRow > 0)
                rows.push_back(gathered.cost);
        std::sort(rows.begin(), rows.end(), [this](const FunctionCost &a, const FunctionCost &b) {
            if (a.self != b.self)
                return a.self > b.self;
            return a.total != b.total ? a.total > b.total : m_functions.isBefore(a.function, b.function);
        });
        return rows;
    }

private:
    FunctionIndex &m_functions;
    std::vector<Gathered> m_rows; ///< by function
    std::vector<std::uint32_t> m_places;
};

} // namespace

std::optional<FunctionTable> functionTable(const Snapshot &snapshot, CostKind kind, std::stop_token stop)
{
    const StackCosts costs = stackCosts(snapshot, {kind});
    const auto functions = std::make_shared<FunctionIndex>(snapshot.tables);
    FunctionGatherer gatherer(*functions);
    FunctionTable table{.kind = kind, .functions = functions};
    for (std::size_t row = 0; row < costs.stacks.size(); ++row) {
        if (row % kStopCheckRows == 0 && stop.stop_requested())
            return std::nullopt;
        gatherer.add(row, costs.stacks[row], costs.of(row)[0]);
        table.all += costs.of(row)[0];
    }
    table.rows = gatherer.takeRows();
    return table;
}

} // namespace model
