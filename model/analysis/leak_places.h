// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"

#include <unordered_map>
#include <unordered_set>

namespace model {

/// Finds the function that is to be named as the place of a finding: the innermost one of the program's own code that is no allocation
/// helper. A helper (xmalloc, zmalloc, a string's constructor) is told by its callers: kHelperCallers different functions of own code or more call
/// it, and a stack has one of these to name instead. One thread at a time.
class LeakPlaces
{
public:
    static constexpr std::uint32_t kHelperCallers = 8;

    /// `functions` must outlive it.
    explicit LeakPlaces(FunctionIndex &functions);

    /// Learns who calls whom from a stack that allocates; all of them before the two below.
    void learn(StackId stack);
    /// The place of a stack; empty name for an empty stack.
    const StackLine &placeOf(StackId stack);
    /// The function of that place; invalid for an empty stack.
    FunctionId functionOf(StackId stack) { return innermostOf(stack).function; }

private:
    /// A function of own code in a stack: where, and in which.
    struct Place
    {
        FunctionId function; ///< invalid: there is none
        FrameId frame;
        std::uint32_t position = 0; ///< for FunctionIndex::place()
    };
    enum class Sort : std::uint8_t { Unknown, Own, Other };

    bool isOwn(FunctionId function);
    const Place &innermostOf(StackId stack);
    Place nearest(StackId stack) const;
    bool isHelper(FunctionId function) const;

    FunctionIndex &m_functions;
    std::vector<Sort> m_sorts;                            ///< by function
    std::vector<FunctionId> m_innermost;                  ///< of own code, by node of the stack tree that was learned
    std::vector<bool> m_isLearned;                        ///< by node
    std::vector<std::uint32_t> m_callers;                 ///< by function: how many different ones of own code call it
    std::unordered_set<std::uint64_t> m_calls;            ///< caller and called that were counted
    std::unordered_map<std::uint32_t, Place> m_places;    ///< by stack
    std::unordered_map<std::uint32_t, StackLine> m_lines; ///< by stack
};

} // namespace model
