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

std::string_view ProgramTables::programName(const Image &image) const
{
    constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    std::string_view started = text(image.commandLine);
    std::string_view file = text(image.executable);
    file.remove_prefix(file.rfind('/') + 1);
    const bool isQuoted = started.starts_with('\''); // for a shell
    if (isQuoted)
        started.remove_prefix(1);
    if (isQuoted && !file.empty() && started.substr(0, started.find('\'')).ends_with(file))
        return file; // a name with blanks
    // Where a folder has a blank in its name the end of the path is not looked for.
    started
        = isQuoted && started.starts_with('/') ? std::string_view() : started.substr(0, started.find_first_of(" '"));
    started.remove_prefix(started.rfind('/') + 1);
    // A login shell is "-bash"; and what a program writes there of itself need not be a name.
    if (!started.empty() && started.front() != '-' && started.find_first_not_of(kNameCharacters) == started.npos)
        return started;
    return file;
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
