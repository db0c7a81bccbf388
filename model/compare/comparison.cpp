// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/comparison.h"

#include "model/compare/cost_evidence.h"
#include "model/compare/function_differences.h"
#include "model/compare/multiple_tests.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace model {

namespace {

/// What is gathered of a group, or of an exact sequence in it.
struct Gathered
{
    std::array<CostEvidence, 2> costs;
    std::array<StackId, 2> heaviest; ///< by side; invalid where that side has none
    std::array<std::int64_t, 2> weights{};

    void add(Side side, StackId stack, const CostEvidence &cost)
    {
        const std::size_t i = sideIndex(side);
        costs[i] += cost;
        if (!heaviest[i].isValid() || std::abs(cost.cost) > weights[i]) {
            heaviest[i] = stack;
            weights[i] = std::abs(cost.cost);
        }
    }
};

using Groups = std::map<SequenceId, std::map<SequenceId, Gathered>>; // group → exact sequences

Groups gather(const StackMatching &matching, const std::array<StackEvidence, 2> &evidence)
{
    Groups groups;
    for (const Side side : kSides) {
        const StackEvidence &own = evidence[sideIndex(side)];
        for (std::size_t i = 0; i < own.stacks.size(); ++i)
            groups[matching.group(side, own.stacks[i])][matching.exact(side, own.stacks[i])].add(
                side, own.stacks[i], own.costs[i]);
    }
    return groups;
}

/// Sets the stack that is shown: of the exact sequence that changed most in the direction of the group.
void choose(StackDifference &row, const std::map<SequenceId, Gathered> &members, const std::array<double, 2> &works)
{
    const double direction = row.cost.change() < 0 ? -1 : 1;
    double most = -INFINITY;
    for (const auto &[sequence, member] : members) {
        const double change = direction
            * (static_cast<double>(member.costs[1].cost) / works[1]
                - static_cast<double>(member.costs[0].cost) / works[0]);
        if (change <= most)
            continue;
        most = change;
        row.side = member.heaviest[1].isValid() ? Side::B : Side::A;
        row.stack = member.heaviest[sideIndex(row.side)];
    }
}

std::vector<StackDifference> stackDifferences(const Groups &groups, const ComparedUnits &units, Certainty certainty)
{
    std::vector<StackDifference> rows;
    for (const auto &[group, members] : groups) {
        StackDifference row{.group = group};
        std::array<CostEvidence, 2> sums;
        for (const auto &[sequence, member] : members) {
            sums[0] += member.costs[0];
            sums[1] += member.costs[1];
            row.isInA = row.isInA || member.heaviest[0].isValid();
            row.isInB = row.isInB || member.heaviest[1].isValid();
        }
        row.cost = differenceOf(sums[0], sums[1], units, certainty);
        choose(row, members, units.works);
        rows.push_back(row);
    }
    return rows;
}

double matchedShareOf(const std::vector<StackDifference> &rows)
{
    double matched = 0;
    double all = 0;
    for (const StackDifference &row : rows) {
        const double cost = std::abs(row.cost.a) + std::abs(row.cost.b);
        all += cost;
        matched += row.isInA && row.isInB ? cost : 0;
    }
    return all > 0 ? matched / all : 1;
}

template <typename Row> void judge(std::vector<Row> &rows, Certainty certainty, Difference Row::*cost)
{
    constexpr double kFalseDiscoveries = 0.05;
    if (certainty == Certainty::Estimated) {
        std::vector<double> pValues;
        for (const Row &row : rows)
            pValues.push_back((row.*cost).pValue);
        const std::vector<double> raised = benjaminiHochberg(pValues);
        for (std::size_t i = 0; i < rows.size(); ++i)
            (rows[i].*cost).isSignificant = raised[i] <= kFalseDiscoveries;
    }
    std::stable_sort(rows.begin(), rows.end(), [cost](const Row &left, const Row &right) {
        if ((left.*cost).isSignificant != (right.*cost).isSignificant)
            return (left.*cost).isSignificant;
        return std::abs((left.*cost).change()) > std::abs((right.*cost).change());
    });
}

} // namespace

bool isCostOfTime(CostKind kind)
{
    switch (kind) {
    case CostKind::Live:
    case CostKind::LiveBlocks:
    case CostKind::Peak:
    case CostKind::PeakBlocks:
        return false;
    default:
        return true;
    }
}

std::optional<Comparison> compare(
    const ComparedSession &a, const ComparedSession &b, CostKind kind, std::stop_token stop)
{
    Comparison result;
    result.kind = kind;
    result.certainty = certaintyOf(*a.snapshot, *b.snapshot, kind);
    result.isPerWork = isCostOfTime(kind);
    const std::array evidence{stackEvidence(*a.snapshot, kind), stackEvidence(*b.snapshot, kind)};
    ComparedUnits &units = result.units;
    if (result.isPerWork)
        units.works = {a.work, b.work};
    units.perSample = costsPerSample(evidence, *a.snapshot, *b.snapshot);
    result.indexes
        = {std::make_shared<FunctionIndex>(a.snapshot->tables), std::make_shared<FunctionIndex>(b.snapshot->tables)};
    result.matching = std::make_shared<const StackMatching>(
        *result.indexes[0], evidence[0].stacks, *result.indexes[1], evidence[1].stacks);
    if (stop.stop_requested())
        return std::nullopt;
    result.stacks = stackDifferences(gather(*result.matching, evidence), units, result.certainty);
    result.matchedShare = matchedShareOf(result.stacks);
    result.functions = functionDifferences(result, evidence);
    if (stop.stop_requested())
        return std::nullopt;
    judge(result.stacks, result.certainty, &StackDifference::cost);
    judge(result.functions, result.certainty, &FunctionDifference::self);
    judge(result.functions, result.certainty, &FunctionDifference::caused);
    std::array<CostEvidence, 2> sums;
    for (const Side side : kSides)
        for (const CostEvidence &cost : evidence[sideIndex(side)].costs)
            sums[sideIndex(side)] += cost;
    result.total = differenceOf(sums[0], sums[1], units, result.certainty);
    result.total.isSignificant = result.total.pValue <= 0.05;
    return result;
}

} // namespace model
