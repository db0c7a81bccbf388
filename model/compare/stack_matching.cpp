// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/stack_matching.h"

#include "model/compare/near_sequences.h"

#include <algorithm>

namespace model {

namespace {

/// Most stacks of a session that are looked at for near ones: what is rarer than that carries no cost worth the time.
constexpr std::size_t kMostNear = 4000;

constexpr std::uint8_t bitOf(Side side) { return static_cast<std::uint8_t>(1u << sideIndex(side)); }

/// Marks the nodes of the stack tree that lie on a stack with a cost, and numbers all their functions.
std::vector<bool> resolve(FunctionIndex &index, std::span<const StackId> stacks)
{
    const ProgramTables &tables = *index.tables();
    std::vector<bool> isUsed(std::max<std::size_t>(tables.stacks.size(), kStackEndCount));
    for (StackId stack : stacks)
        for (; !isUsed[stack.index()]; stack = tables.stacks[stack.index()].parent) {
            isUsed[stack.index()] = true;
            if (isRoot(stack))
                break;
            index.placesOf(tables.stacks[stack.index()].frame);
        }
    return isUsed;
}

FunctionMatching matched(
    FunctionIndex &a, std::span<const StackId> stacksA, FunctionIndex &b, std::span<const StackId> stacksB)
{
    resolve(a, stacksA);
    resolve(b, stacksB);
    return {a, b};
}

} // namespace

StackMatching::StackMatching(
    FunctionIndex &a, std::span<const StackId> stacksA, FunctionIndex &b, std::span<const StackId> stacksB)
    : m_functions(matched(a, stacksA, b, stacksB))
    , m_nodes(1)
{
    addSide(Side::A, a, stacksA);
    addSide(Side::B, b, stacksB);
    chooseGroups(Side::A, stacksA);
    chooseGroups(Side::B, stacksB);
    if (m_functions.hasRebuiltModules())
        joinNearOnes(stacksA, stacksB);
}

SequenceId StackMatching::child(SequenceId parent, MatchId function)
{
    if (m_nodes[parent.index()].function == function)
        return parent; // recursion
    const std::uint64_t key = (std::uint64_t{parent.value} << 32) | function.value;
    const auto [it, isNew] = m_children.try_emplace(key, SequenceId(m_nodes.size()));
    if (isNew)
        m_nodes.push_back({parent, function});
    return it->second;
}

void StackMatching::addSide(Side side, FunctionIndex &index, std::span<const StackId> stacks)
{
    const ProgramTables &tables = *index.tables();
    const std::vector<bool> isUsed = resolve(index, stacks);
    std::vector<SequenceId> &exact = m_exact[sideIndex(side)];
    std::vector<SequenceId> &reduced = m_reduced[sideIndex(side)];
    exact.assign(isUsed.size(), SequenceId(0u));
    reduced.assign(isUsed.size(), SequenceId(0u));
    for (std::uint32_t end = 1; end < kStackEndCount; ++end)
        exact[end] = reduced[end] = child(SequenceId(0u), m_functions.of(side, FunctionId(end)));
    for (std::size_t i = kStackEndCount; i < isUsed.size(); ++i) { // parents precede children
        if (!isUsed[i])
            continue;
        const StackNode &node = tables.stacks[i];
        exact[i] = exact[node.parent.index()];
        reduced[i] = reduced[node.parent.index()];
        const FunctionIndex::Range range = index.placesOf(node.frame);
        for (std::uint32_t place = range.first; place < range.first + range.count; ++place) {
            const MatchId function = m_functions.of(side, index.place(place).function);
            exact[i] = child(exact[i], function);
            if (!m_functions.mayBeHidden(function))
                reduced[i] = child(reduced[i], function);
        }
    }
    for (const StackId stack : stacks) {
        m_nodes[exact[stack.index()].index()].exactIn |= bitOf(side);
        m_nodes[reduced[stack.index()].index()].groupIn |= bitOf(side);
    }
}

/// Takes the reduced sequence where both sessions have it, else the exact one.
void StackMatching::chooseGroups(Side side, std::span<const StackId> stacks)
{
    std::vector<SequenceId> &groups = m_groups[sideIndex(side)];
    groups = m_exact[sideIndex(side)];
    for (const StackId stack : stacks) {
        const SequenceId reduced = m_reduced[sideIndex(side)][stack.index()];
        if (m_nodes[reduced.index()].groupIn == 3)
            groups[stack.index()] = reduced;
    }
}

bool StackMatching::isInBoth(SequenceId group) const
{
    const Node &node = m_nodes[group.index()];
    return node.groupIn == 3 || node.exactIn == 3;
}

std::vector<MatchId> StackMatching::functionsOf(SequenceId sequence) const
{
    std::vector<MatchId> functions;
    for (; sequence.value != 0; sequence = m_nodes[sequence.index()].parent)
        functions.push_back(m_nodes[sequence.index()].function);
    return functions;
}

/// Their functions, innermost first, without those that may be hidden.
std::vector<std::vector<std::uint32_t>> StackMatching::sequencesOf(const std::vector<SequenceId> &groups) const
{
    std::vector<std::vector<std::uint32_t>> sequences;
    for (const SequenceId group : groups) {
        std::vector<std::uint32_t> &sequence = sequences.emplace_back();
        for (const MatchId function : functionsOf(group))
            if (!m_functions.mayBeHidden(function))
                sequence.push_back(function.value);
    }
    return sequences;
}

/// The groups of a session that are, or are not, in both; ascending, each once.
std::vector<SequenceId> StackMatching::groupsOf(Side side, std::span<const StackId> stacks, Presence presence) const
{
    std::vector<SequenceId> groups;
    for (const StackId stack : stacks)
        if (const SequenceId group = m_groups[sideIndex(side)][stack.index()];
            isInBoth(group) == (presence == Presence::InBoth))
            groups.push_back(group);
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    if (groups.size() > kMostNear)
        groups.resize(kMostNear);
    return groups;
}

void StackMatching::join(Side side, std::span<const StackId> stacks, const std::vector<SequenceId> &from,
    const std::vector<SequenceId> &into)
{
    std::unordered_map<std::uint32_t, SequenceId> joined;
    for (const auto &[i, j] : nearSequences(sequencesOf(from), sequencesOf(into))) {
        joined.emplace(from[i].value, into[j]);
        m_nodes[into[j].index()].groupIn = 3;
    }
    for (const StackId stack : stacks) {
        SequenceId &group = m_groups[sideIndex(side)][stack.index()];
        if (const auto found = joined.find(group.value); found != joined.end())
            group = found->second;
    }
}

void StackMatching::joinNearOnes(std::span<const StackId> stacksA, std::span<const StackId> stacksB)
{
    join(Side::B, stacksB, groupsOf(Side::B, stacksB, Presence::InOne), groupsOf(Side::A, stacksA, Presence::InOne));
    // What then is left lies within a group of both, where the other session shows less of its callers.
    for (const auto &[side, stacks] : {std::pair{Side::A, stacksA}, {Side::B, stacksB}})
        join(side, stacks, groupsOf(side, stacks, Presence::InOne), groupsOf(side, stacks, Presence::InBoth));
}

} // namespace model
