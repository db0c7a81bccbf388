// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_text.h"

#include "model/aggregate/stack_functions.h"

namespace model {

StackLine stackLine(const FunctionIndex &index, FrameId frame, std::uint32_t position)
{
    const ProgramTables &tables = *index.tables();
    const FunctionPlace &place = index.place(position);
    if (!frame.isValid())
        return {.function = place.function, .name = index.name(place.function)};
    return {place.function, index.name(place.function), std::string(index.moduleName(place.function)),
        std::string(index.modulePath(place.function)), tables.text(place.file), place.line,
        tables.frames.at(frame.index()).address, place.isInlined};
}

std::vector<StackLine> stackLines(FunctionIndex &index, StackId stack)
{
    const ProgramTables &tables = *index.tables();
    std::vector<StackLine> lines;
    for (; !isRoot(stack); stack = tables.stacks.at(stack.index()).parent) {
        const FrameId frame = tables.stacks.at(stack.index()).frame;
        const FunctionIndex::Range places = index.placesOf(frame);
        for (std::uint32_t i = places.count; i-- > 0;)
            lines.push_back(stackLine(index, frame, places.first + i));
    }
    const auto end = static_cast<StackEnd>(stack.value);
    if (end != StackEnd::ReachedStart)
        lines.push_back(stackLine(index, {}, FunctionIndex::endPlace(end)));
    return lines;
}

std::string collapsedStack(FunctionIndex &index, StackId stack)
{
    std::vector<std::uint32_t> places;
    stackPlaces(index, stack, places);
    std::string text;
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
        if (!text.empty())
            text += ';';
        for (const char c : index.name(index.place(*place).function)) {
            const bool isControl = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            text += c == ';' ? ':' : isControl ? '?' : c;
        }
    }
    return text;
}

std::string shortPlace(const std::string &file, std::uint32_t line)
{
    if (file.empty())
        return {};
    const std::string name(fileNameOf(file));
    return line == 0 ? name : name + ':' + std::to_string(line);
}

} // namespace model
