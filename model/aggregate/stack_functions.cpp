// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_functions.h"

namespace model {

void stackPlaces(FunctionIndex &index, StackId stack, std::vector<std::uint32_t> &places)
{
    const ProgramTables &tables = *index.tables();
    places.clear();
    for (; !isRoot(stack); stack = tables.stacks.at(stack.index()).parent) {
        const FunctionIndex::Range range = index.placesOf(tables.stacks[stack.index()].frame);
        for (std::uint32_t i = range.count; i-- > 0;)
            places.push_back(range.first + i);
    }
    const auto end = static_cast<StackEnd>(stack.value);
    if (end != StackEnd::ReachedStart)
        places.push_back(FunctionIndex::endPlace(end));
}

} // namespace model
