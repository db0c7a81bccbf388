// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_places.h"

#include "model/aggregate/own_code.h"

namespace model {

LeakPlaces::LeakPlaces(FunctionIndex &functions)
    : m_functions(functions)
    , m_innermost(functions.tables()->stacks.size())
    , m_isLearned(functions.tables()->stacks.size())
{
}

bool LeakPlaces::isOwn(FunctionId function)
{
    if (m_sorts.size() <= function.index())
        m_sorts.resize(m_functions.size(), Sort::Unknown);
    Sort &sort = m_sorts[function.index()];
    if (sort == Sort::Unknown)
        sort = isOwnCode(m_functions, function) && !isAllocator(m_functions.name(function)) ? Sort::Own : Sort::Other;
    return sort == Sort::Own;
}

bool LeakPlaces::isHelper(FunctionId function) const
{
    return function.index() < m_callers.size() && m_callers[function.index()] >= kHelperCallers;
}

void LeakPlaces::learn(StackId stack)
{
    // Stacks share their outer nodes: what hangs from one that was learned is new, and no more.
    const std::vector<StackNode> &nodes = m_functions.tables()->stacks;
    std::vector<StackId> fresh;
    for (; !isRoot(stack) && !m_isLearned.at(stack.index()); stack = nodes[stack.index()].parent)
        fresh.push_back(stack);
    FunctionId outer = isRoot(stack) ? FunctionId() : m_innermost[stack.index()];
    for (auto node = fresh.rbegin(); node != fresh.rend(); ++node) {
        const FunctionIndex::Range range = m_functions.placesOf(nodes[node->index()].frame);
        for (std::uint32_t i = 0; i < range.count; ++i) { // outermost first
            const FunctionId function = m_functions.place(range.first + i).function;
            if (!isOwn(function))
                continue;
            if (outer.isValid() && outer != function
                && m_calls.insert((std::uint64_t{outer.value} << 32) | function.value).second) {
                if (m_callers.size() <= function.index())
                    m_callers.resize(m_functions.size());
                ++m_callers[function.index()];
            }
            outer = function;
        }
        m_innermost[node->index()] = outer;
        m_isLearned[node->index()] = true;
    }
}

/// Where nothing is own code: the innermost that is no allocator; without that, the leaf.
LeakPlaces::Place LeakPlaces::nearest(StackId stack) const
{
    const std::vector<StackNode> &nodes = m_functions.tables()->stacks;
    Place leaf;
    for (; !isRoot(stack); stack = nodes[stack.index()].parent) {
        const FrameId frame = nodes[stack.index()].frame;
        const FunctionIndex::Range range = m_functions.placesOf(frame);
        for (std::uint32_t i = range.count; i-- > 0;) {
            const Place place{m_functions.place(range.first + i).function, frame, range.first + i};
            if (!leaf.function.isValid())
                leaf = place;
            if (!isAllocator(m_functions.name(place.function)))
                return place;
        }
    }
    const auto end = static_cast<StackEnd>(stack.value);
    if (!leaf.function.isValid() && end != StackEnd::ReachedStart)
        leaf = {FunctionIndex::endFunction(end), {}, FunctionIndex::endPlace(end)};
    return leaf;
}

const LeakPlaces::Place &LeakPlaces::innermostOf(StackId stack)
{
    const auto [it, isNew] = m_places.try_emplace(stack.value);
    Place &found = it->second;
    if (!isNew)
        return found;
    // Helpers stand innermost, one within the other; a function with many callers further out is just a popular one.
    const std::vector<StackNode> &nodes = m_functions.tables()->stacks;
    for (StackId node = stack; !isRoot(node); node = nodes[node.index()].parent) {
        const FrameId frame = nodes[node.index()].frame;
        const FunctionIndex::Range range = m_functions.placesOf(frame);
        for (std::uint32_t i = range.count; i-- > 0;) {
            const FunctionId function = m_functions.place(range.first + i).function;
            if (!isOwn(function))
                continue;
            found = {function, frame, range.first + i};
            if (!isHelper(function))
                return found;
        }
    }
    if (!found.function.isValid())
        found = nearest(stack);
    return found;
}

const StackLine &LeakPlaces::placeOf(StackId stack)
{
    const auto [it, isNew] = m_lines.try_emplace(stack.value);
    if (isNew) {
        const Place &place = innermostOf(stack);
        if (place.function.isValid())
            it->second = stackLine(m_functions, place.frame, place.position);
    }
    return it->second;
}

} // namespace model
