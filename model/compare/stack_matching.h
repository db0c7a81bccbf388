// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/function_matching.h"

#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace model {

/// A sequence of functions, root first, as a node of a tree that both sessions share; 0 is the empty one.
using SequenceId = Id<struct SequenceTag>;

/// Puts the stacks of two sessions into groups that mean the same, whatever their builds:
///   1. stacks with the same functions, repeated ones next to each other folded;
///   2. stacks that are the same once functions are left out that only one session shows and that may be inlined in the other
///      (FunctionMatching::mayBeHidden), where both sessions then have one;
///   3. of those that are left, of modules built anew: near ones, as nearSequences() has it: callers that another build inlined
///      or jumped out of are left out, the innermost function kept;
///   4. what is left joins a near group of both, so that a new callee counts with its caller, and is shown as what changed there.
/// So a cost that another build books one function further up or down counts as the same. Costs O(nodes of both stack trees).
class StackMatching
{
public:
    /// `stacksA` and `stacksB`: those with a cost. Resolves their frames.
    StackMatching(
        FunctionIndex &a, std::span<const StackId> stacksA, FunctionIndex &b, std::span<const StackId> stacksB);

    /// The functions of a stack as they are; the group that the stack belongs to. Both of stacks that were given only.
    SequenceId exact(Side side, StackId stack) const { return m_exact[sideIndex(side)][stack.index()]; }
    SequenceId group(Side side, StackId stack) const { return m_groups[sideIndex(side)][stack.index()]; }
    bool isInBoth(SequenceId group) const;

    /// Functions of a sequence, innermost first.
    std::vector<MatchId> functionsOf(SequenceId sequence) const;
    /// The innermost function; invalid for the empty sequence.
    MatchId leafOf(SequenceId sequence) const { return m_nodes[sequence.index()].function; }
    const FunctionMatching &functions() const { return m_functions; }

private:
    struct Node
    {
        SequenceId parent;
        MatchId function;
        std::uint8_t exactIn = 0; ///< bits of the sides that have it as a whole stack
        std::uint8_t groupIn = 0;
    };

    SequenceId child(SequenceId parent, MatchId function);
    void addSide(Side side, FunctionIndex &index, std::span<const StackId> stacks);
    void chooseGroups(Side side, std::span<const StackId> stacks);
    enum class Presence : std::uint8_t { InOne, InBoth };
    std::vector<std::vector<std::uint32_t>> sequencesOf(const std::vector<SequenceId> &groups) const;
    std::vector<SequenceId> groupsOf(Side side, std::span<const StackId> stacks, Presence presence) const;
    void join(Side side, std::span<const StackId> stacks, const std::vector<SequenceId> &from,
        const std::vector<SequenceId> &into);
    void joinNearOnes(std::span<const StackId> stacksA, std::span<const StackId> stacksB);

    FunctionMatching m_functions;
    std::vector<Node> m_nodes;
    std::unordered_map<std::uint64_t, SequenceId> m_children; ///< by parent and function
    std::array<std::vector<SequenceId>, 2> m_exact;           ///< by stack
    std::array<std::vector<SequenceId>, 2> m_reduced;         ///< by stack: without functions that may be hidden
    std::array<std::vector<SequenceId>, 2> m_groups;          ///< by stack
};

} // namespace model
