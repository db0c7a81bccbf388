// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/function_differences.h"

#include "model/aggregate/stack_functions.h"

#include <cstdlib>

namespace model {

namespace {

/// A function while stacks are added.
struct Gathered
{
    std::array<CostEvidence, 2> self;
    std::array<CostEvidence, 2> total;
    std::array<std::size_t, 2> lastStack{}; ///< 1 + the last stack that counted
    std::array<std::int64_t, 2> heaviest{-1, -1};
    std::array<FunctionPlace, 2> places; ///< of the heaviest frame, by side
};

void addStack(Gathered &row, std::size_t side, std::size_t stack, const FunctionPlace &place, const CostEvidence &cost)
{
    if (row.lastStack[side] == stack + 1)
        return;
    row.lastStack[side] = stack + 1;
    row.total[side] += cost;
    if (std::abs(cost.cost) > row.heaviest[side]) {
        row.heaviest[side] = std::abs(cost.cost);
        row.places[side] = place;
    }
}

FunctionDifference rowOf(std::size_t id, const Gathered &row,
    const std::array<std::shared_ptr<FunctionIndex>, 2> &indexes, const ComparedUnits &units, Certainty certainty)
{
    FunctionDifference result{.function = MatchId(id)};
    result.isInA = row.lastStack[0] > 0;
    result.isInB = row.lastStack[1] > 0;
    result.side = result.isInB ? Side::B : Side::A;
    const FunctionPlace &place = row.places[sideIndex(result.side)];
    result.shown = place.function;
    result.file = indexes[sideIndex(result.side)]->tables()->text(place.file);
    result.line = place.line;
    result.self = differenceOf(row.self[0], row.self[1], units, certainty);
    result.total = differenceOf(row.total[0], row.total[1], units, certainty);
    if (certainty == Certainty::Estimated)
        result.total.isSignificant = result.total.pValue <= 0.05;
    return result;
}

} // namespace

std::vector<FunctionDifference> functionDifferences(const StackMatching &matching,
    const std::array<std::shared_ptr<FunctionIndex>, 2> &indexes, const std::array<StackEvidence, 2> &evidence,
    const ComparedUnits &units, Certainty certainty)
{
    std::vector<Gathered> rows(matching.functions().size());
    std::vector<std::uint32_t> places;
    for (const Side side : kSides) {
        const std::size_t s = sideIndex(side);
        FunctionIndex &index = *indexes[s];
        for (std::size_t i = 0; i < evidence[s].stacks.size(); ++i) {
            const StackId stack = evidence[s].stacks[i];
            const CostEvidence &cost = evidence[s].costs[i];
            stackPlaces(index, stack, places);
            for (const std::uint32_t position : places) {
                const FunctionPlace &place = index.place(position);
                addStack(rows[matching.functions().of(side, place.function).index()], s, i, place, cost);
            }
            const MatchId leaf = matching.leafOf(matching.group(side, stack));
            if (leaf.isValid())
                rows[leaf.index()].self[s] += cost;
        }
    }
    std::vector<FunctionDifference> made;
    for (std::size_t id = 0; id < rows.size(); ++id)
        if (rows[id].lastStack[0] > 0 || rows[id].lastStack[1] > 0)
            made.push_back(rowOf(id, rows[id], indexes, units, certainty));
    return made;
}

} // namespace model
