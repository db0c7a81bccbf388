// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"

namespace model {

/// Whether a function is the program's own: in a file that is no system library (below /lib or /usr/lib) and not of the C++
/// standard library's headers. Ends of stacks, the kernel and the vdso are not; generated code is.
bool isOwnCode(const FunctionIndex &index, FunctionId function);

/// Whether a function belongs to an allocator's own family: malloc, free, operator new, and what implements them.
bool isAllocator(std::string_view functionName);

/// The line of a stack that a reader looks for: the innermost one in own code; without any, the innermost that is no
/// allocator; without that, the leaf. Empty name for an empty stack.
StackLine ownLine(FunctionIndex &index, StackId stack);

} // namespace model
