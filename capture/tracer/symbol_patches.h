// SPDX-License-Identifier: MIT
#pragma once

namespace capture::tracer {

/// Makes what is bound from now on to the allocator's own definitions of the functions that we stand in front of lead to our hooks, by
/// changing the values in its symbol table in memory. For libraries that look into their own dependencies before the program's
/// (RTLD_DEEPBIND): the hooks go on to those very definitions, so no block meets another allocator than without us. Only where this
/// library was loaded with the program; stays for good. Any thread, any number of times; waits for nobody, allocates nothing.
///
/// False if some may still bind past us: the table cannot be changed, another thread is just about it, or a module behind the allocator has
/// a malloc, too. Known of the modules that came with the program; not seen and not told is what binds to a malloc that the opened library
/// brings along, or that another one brought.
///
/// From then on the names of hooks, looked up in that module (dlsym, and our own symbolOf()), lie: they lead to the hooks. Whoever wants to
/// go on to a function takes g_next, found before. Names that are no hook's, and those of HOOK_PRELOADED, are never changed.
bool redirectSymbols();

/// Takes back the names of hooks that nobody else defines, of those that came with the program: what is loaded later and brings them along
/// (a C++ library in a program that has none, another allocator's own interface) finds its own, as without us. Those that the program asks for without
/// needing them stay, as it may have looked already. To be called once all of g_next is known, before the process has threads.
void hideNames();

} // namespace capture::tracer
