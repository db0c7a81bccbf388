// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"

#include <map>
#include <set>
#include <unordered_map>

namespace model {

/// Finds the function that is to be named as the place of a finding: the innermost one of the program's own code that is no allocation
/// helper. A helper (xmalloc, zmalloc, a string's constructor) is told by its callers: kHelperCallers different functions of own code or more call
/// it, and a stack has one of these to name instead. One thread at a time.
class LeakPlaces
{
public:
    static constexpr std::size_t kHelperCallers = 8;

    /// `functions` must outlive it.
    explicit LeakPlaces(FunctionIndex &functions)
        : m_functions(functions)
    {
    }

    /// Learns who calls whom from a stack that allocates; all of them before placeOf().
    void learn(StackId stack);
    /// The place of a stack; empty name for an empty stack.
    const StackLine &placeOf(StackId stack);

private:
    FunctionIndex &m_functions;
    std::unordered_map<std::uint32_t, std::vector<StackLine>> m_chains; ///< by stack: its own code, innermost first
    std::map<FunctionId, std::set<FunctionId>> m_callers; ///< of functions that are innermost, or helpers' callers

    const std::vector<StackLine> &chainOf(StackId stack);
};

} // namespace model
