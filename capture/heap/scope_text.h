// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/scope_book.h"
#include "capture/symbols/source_frame.h"

#include <string>
#include <vector>

namespace capture {

/// The functions of a stack, innermost first.
using NamedStack = std::vector<SourceFrame>;

/// What a scope exceeded, by how much, and by which stacks, as lines for whoever reads the log of a test:
///
///     3 allocations, 1 more than the limit of 2
///       2 allocations, 128 bytes:
///         readLine  at reader.cpp:41
///         main  at reader_test.cpp:12
///
/// `stacks`: the answer's, in its order. What of a stack is the allocator's or the standard library's stands before the first line that is
/// shown, and is left out.
std::string scopeText(const ScopeAnswer &answer, const std::vector<NamedStack> &stacks);

} // namespace capture
