// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/program_tables.h"

namespace model {

ProgramTables::ProgramTables()
    : strings(1)
    , stacks(kStackEndCount)
{
}

StackEnd ProgramTables::endOf(StackId node) const
{
    while (!isRoot(node))
        node = stacks.at(node.index()).parent;
    return static_cast<StackEnd>(node.value);
}

ProgramTables::LineSpan ProgramTables::linesOf(FrameId frame) const
{
    const FrameSymbols &found = symbols.at(frame.index());
    const SourceLine *first = lines.data() + found.first;
    return {first, first + found.count};
}

std::string_view stackEndText(StackEnd end)
{
    switch (end) {
    case StackEnd::ReachedStart:
        return "";
    case StackEnd::Truncated:
        return "[stack cut off]";
    case StackEnd::NoUnwindInfo:
        return "[no unwind information]";
    case StackEnd::BadRule:
        return "[bad unwind information]";
    case StackEnd::Unreadable:
        return "[stack not readable]";
    case StackEnd::TableFull:
        return "[stack table full]";
    }
    return "[stack incomplete]";
}

} // namespace model
