// SPDX-License-Identifier: MIT
#pragma once

namespace capture::tracer {

/// Makes what is bound from now on to the allocator's own definitions of the functions that we stand in front of lead to our hooks, by
/// changing the values in its symbol table in memory. For libraries that look into their own dependencies before the program's
/// (RTLD_DEEPBIND): the hooks go on to those very definitions, so no block meets another allocator than without us. Only where the
/// library was loaded with the program; stays for good. Any thread, any number of times.
///
/// False if some may still bind past us: the table's pages cannot be written, or a module behind the allocator has one, too.
bool redirectSymbols();

} // namespace capture::tracer
