// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace model {

/// Whether a function is the program's own: in a file that is no system library (a ".so" below /lib or /usr/lib; programs lie there too, as
/// cc1plus does, and what lies in such a program's own folder is its own, as soffice.bin's libraries are) and not of the C++ standard library's or Boost's headers. Ends of stacks, the kernel and the vdso are not; generated code is.
bool isOwnCode(const FunctionIndex &index, FunctionId function);

/// Whether a file is a library of the system, by its path.
bool isSystemLibrary(std::string_view path);

/// Whether a function is the kernel's.
bool isKernelCode(const FunctionIndex &index, FunctionId function);

/// Whether a function is part of the heap tracer, which is loaded into the program, or of what the kernel does to tell of it.
bool isTracerCode(const FunctionIndex &index, FunctionId function);

/// Whether a function belongs to an allocator's own family: malloc, free, operator new, and what implements them.
bool isAllocator(std::string_view functionName);

/// Whether a function seems to be the program's own way to an allocator ("_PyObject_Malloc", "xrealloc"), by its name: who calls it decides.
bool isAllocatorWrapper(std::string_view functionName);

/// Whether a short name is that of a constructor, destructor, assignment or lambda: what it does, it does for who calls it.
bool isSpecialMember(std::string_view shortName);

/// The line of a stack that a reader looks for: the innermost one in own code; without any, the innermost that is no
/// allocator; without that, the leaf. Empty name for an empty stack.
StackLine ownLine(FunctionIndex &index, StackId stack);

/// As ownLine(), but past special members and the program's own ways to the allocator: who calls them can be changed. Of such a way that main()
/// calls nothing is known by its caller: it is given itself. Everything descends from a main() without a name: what that calls is given.
StackLine callerLine(FunctionIndex &functions, StackId stack);

/// Positions of ownLine() and callerLine() among the lines of a stack; 0 where there are none.
std::size_t ownPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines);
std::size_t callerPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines);

/// Position of the line that a stack is called after: callerPosition() where its source is known, else the innermost line in own code whose source
/// is; without any, callerPosition().
std::size_t namedPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines);

/// What a function on a stack is to a reader who looks for who asked for memory.
enum class CallerKind : std::uint8_t {
    End, ///< of a stack that was cut
    Allocator,
    Library, ///< not own code
    Special, ///< own code, which does it for its caller; see isSpecialMember()
    Wrapper, ///< own code, on the way to an allocator; see isAllocatorWrapper()
    Main,
    Stub,   ///< main without a name: it says nothing, so what it calls is named
    Caller, ///< other own code
};
CallerKind callerKind(const FunctionIndex &index, FunctionId function);

/// Which of `count` functions, leaf first, callerLine() chooses; `kindAt` is asked for as many as it takes. 0 where there is none.
std::size_t callerPosition(std::size_t count, const std::function<CallerKind(std::size_t)> &kindAt);

} // namespace model
