// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_places.h"

#include "model/aggregate/own_code.h"

namespace model {

const std::vector<StackLine> &LeakPlaces::chainOf(StackId stack)
{
    const auto [it, isNew] = m_chains.try_emplace(stack.value);
    std::vector<StackLine> &chain = it->second;
    if (!isNew)
        return chain;
    for (StackLine &line : stackLines(m_functions, stack))
        if (isOwnCode(m_functions, line.function) && !isAllocator(line.name))
            chain.push_back(std::move(line));
    if (chain.empty())
        chain.push_back(ownLine(m_functions, stack)); // nothing is own code: the nearest that tells something
    return chain;
}

void LeakPlaces::learn(StackId stack)
{
    const std::vector<StackLine> &chain = chainOf(stack);
    for (std::size_t i = 0; i + 1 < chain.size(); ++i)
        if (chain[i].function != chain[i + 1].function)
            m_callers[chain[i].function].insert(chain[i + 1].function);
}

const StackLine &LeakPlaces::placeOf(StackId stack)
{
    const std::vector<StackLine> &chain = chainOf(stack);
    std::size_t i = 0;
    // Helpers stand innermost, one within the other; a function with many callers further out is just a popular one.
    while (i + 1 < chain.size()) {
        const auto callers = m_callers.find(chain[i].function);
        if (callers == m_callers.end() || callers->second.size() < kHelperCallers)
            break;
        ++i;
    }
    return chain[i];
}

} // namespace model
