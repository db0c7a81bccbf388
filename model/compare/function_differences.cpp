// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/function_differences.h"

#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_functions.h"
#include "model/compare/match_name.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace model {

namespace {

/// A function while stacks are added.
struct Gathered
{
    std::array<CostEvidence, 2> self;
    std::array<CostEvidence, 2> caused;
    std::array<CostEvidence, 2> total;
    std::array<std::size_t, 2> lastStack{}; ///< 1 + the last stack that counted
    std::array<std::int64_t, 2> heaviest{-1, -1};
    std::array<FunctionPlace, 2> places;              ///< of the heaviest frame, by side
    std::array<std::vector<FunctionId>, 2> functions; ///< each once, as they are met
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

/// Without parts of one function.
std::size_t countOf(const FunctionIndex &index, const std::vector<FunctionId> &functions)
{
    if (functions.size() < 2)
        return 1;
    std::set<std::string> names;
    for (const FunctionId function : functions)
        names.insert(buildMatchName(index.name(function)));
    return names.size();
}

FunctionDifference rowOf(std::size_t id, const Gathered &row, const Comparison &comparison)
{
    FunctionDifference result{.function = MatchId(id)};
    result.isInA = row.lastStack[0] > 0;
    result.isInB = row.lastStack[1] > 0;
    result.side = result.isInB ? Side::B : Side::A;
    const FunctionPlace &place = row.places[sideIndex(result.side)];
    result.shown = place.function;
    result.file = comparison.indexes[sideIndex(result.side)]->tables()->text(place.file);
    result.line = place.line;
    for (const Side side : kSides)
        result.functions = std::max(result.functions,
            static_cast<std::uint32_t>(countOf(*comparison.indexes[sideIndex(side)], row.functions[sideIndex(side)])));
    result.self = differenceOf(row.self[0], row.self[1], comparison.units, comparison.certainty);
    result.caused = differenceOf(row.caused[0], row.caused[1], comparison.units, comparison.certainty);
    result.total = differenceOf(row.total[0], row.total[1], comparison.units, comparison.certainty);
    if (comparison.certainty == Certainty::Estimated)
        result.total.isSignificant = result.total.pValue <= 0.05;
    return result;
}

void addTotals(std::vector<Gathered> &rows, const Comparison &comparison, Side side, const StackEvidence &evidence)
{
    const std::size_t s = sideIndex(side);
    FunctionIndex &index = *comparison.indexes[s];
    std::vector<std::uint32_t> places;
    std::vector<bool> isMet(index.size()); // by function, each of which is in one row
    for (std::size_t i = 0; i < evidence.stacks.size(); ++i) {
        stackPlaces(index, evidence.stacks[i], places);
        for (const std::uint32_t position : places) {
            const FunctionPlace &place = index.place(position);
            const MatchId id = comparison.matching->functions().of(side, place.function);
            Gathered &row = rows[id.index()];
            if (!isMet[place.function.index()])
                row.functions[s].push_back(place.function);
            isMet[place.function.index()] = true;
            addStack(row, s, i, place, evidence.costs[i]);
        }
    }
}

/// Finds who answers for a group of stacks, the same for both sessions.
class CallerFinder
{
public:
    CallerFinder(const std::vector<Gathered> &rows, const Comparison &comparison)
        : m_rows(rows)
        , m_comparison(comparison)
        , m_kinds(rows.size())
    {
    }

    /// Invalid for the empty group.
    MatchId callerOf(SequenceId group)
    {
        const auto [at, isNew] = m_callers.try_emplace(group.value);
        if (isNew) {
            const std::vector<MatchId> functions = m_comparison.matching->functionsOf(group);
            const auto kindAt = [&](std::size_t position) { return kindOf(functions[position]); };
            if (!functions.empty())
                at->second = functions[callerPosition(functions.size(), kindAt)];
        }
        return at->second;
    }

private:
    CallerKind kindOf(MatchId id)
    {
        auto &kind = m_kinds[id.index()];
        if (!kind) {
            const Gathered &row = m_rows[id.index()];
            const std::size_t s = sideIndex(row.lastStack[1] > 0 ? Side::B : Side::A);
            kind = callerKind(*m_comparison.indexes[s], row.places[s].function);
        }
        return *kind;
    }

    const std::vector<Gathered> &m_rows;
    const Comparison &m_comparison;
    std::vector<std::optional<CallerKind>> m_kinds;       ///< by function
    std::unordered_map<std::uint32_t, MatchId> m_callers; ///< by group
};

} // namespace

std::vector<FunctionDifference> functionDifferences(
    const Comparison &comparison, const std::array<StackEvidence, 2> &evidence)
{
    const StackMatching &matching = *comparison.matching;
    std::vector<Gathered> rows(matching.functions().size());
    for (const Side side : kSides)
        addTotals(rows, comparison, side, evidence[sideIndex(side)]);
    CallerFinder callers(rows, comparison);
    const bool isHeap = costInfo(comparison.kind).source == CostSource::Heap;
    for (const Side side : kSides) {
        const std::size_t s = sideIndex(side);
        for (std::size_t i = 0; i < evidence[s].stacks.size(); ++i) {
            const SequenceId group = matching.group(side, evidence[s].stacks[i]);
            const MatchId leaf = matching.leafOf(group);
            if (!leaf.isValid())
                continue;
            rows[leaf.index()].self[s] += evidence[s].costs[i];
            rows[(isHeap ? callers.callerOf(group) : leaf).index()].caused[s] += evidence[s].costs[i];
        }
    }
    std::vector<FunctionDifference> made;
    for (std::size_t id = 0; id < rows.size(); ++id)
        if (rows[id].lastStack[0] > 0 || rows[id].lastStack[1] > 0)
            made.push_back(rowOf(id, rows[id], comparison));
    return made;
}

} // namespace model
