// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"

#include <string>
#include <vector>

namespace model {

/// One line of a stack as it is shown.
struct StackLine
{
    FunctionId function;
    std::string name;       ///< as FunctionIndex::name()
    std::string moduleName; ///< without folders
    std::string modulePath;
    std::string file; ///< as in the debug information; empty if unknown
    std::uint32_t line = 0;
    std::uint64_t address = 0; ///< of the frame, relative to the module
    bool isInlined = false;
};

/// One line: the function at `position` of FunctionIndex::place(), which stands at `frame` (invalid for the end of a stack).
StackLine stackLine(const FunctionIndex &index, FrameId frame, std::uint32_t position);

/// The functions of a stack, leaf first (as a debugger prints it), inlined ones as lines of their own. An incomplete stack ends in
/// a line with stackEndText().
std::vector<StackLine> stackLines(FunctionIndex &index, StackId stack);

/// "main;parse;malloc": root first; ';' and control characters in a name become ':' and '?'. An incomplete stack begins with
/// stackEndText().
std::string collapsedStack(FunctionIndex &index, StackId stack);

/// "session.cpp:214"; the file without folders; empty if unknown.
std::string shortPlace(const std::string &file, std::uint32_t line);

} // namespace model
