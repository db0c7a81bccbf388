// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace capture {

/// The allocator that is built into a program rather than linked dynamically: "jemalloc", "tcmalloc", "mimalloc", "a Rust allocator"; empty
/// if none is known. Recognised by its symbols, in the symbol table or, of a stripped program, among those that it exports. Bounded.
std::string builtInAllocator(const std::string &path);

/// What that means for heap tracing, as a sentence; empty if nothing. A script is judged by its interpreter.
std::string builtInAllocatorNote(const std::string &path);

} // namespace capture
