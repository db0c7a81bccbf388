// SPDX-License-Identifier: MIT
#pragma once

#include <elf.h>

#include <cstdint>

struct link_map;

namespace capture::tracer {

/// The loader's list of modules, first the program; found through the program's own dynamic section, without a call to
/// the loader. Null if the program has none.
link_map *firstModule();

/// This library's entry in that list; null if it is not there (another namespace).
link_map *ownModule();

/// The entry of ld.so itself and where it lies; both 0 if unknown.
struct LoaderRange
{
    std::uint64_t begin = 0, end = 0;
};
LoaderRange loaderRange();

/// Address of the symbol `name` that `module` defines, through its own hash table; 0 if it defines none.
/// Versions: the default one; a hidden one only if there is no other.
std::uint64_t symbolOf(const link_map *module, const char *name);

/// Its entry in the module's table; null if there is none. Of several versions as symbolOf().
const Elf64_Sym *symbolEntry(const link_map *module, const char *name);

/// Calls `visit(name, data)` for each name that `module` asks for without needing it: its weak references.
void visitWeakReferences(const link_map *module, void (*visit)(const char *name, void *data), void *data);

/// The definition of `name` that comes after this library in link-map order, which is where a call would have gone
/// without it; 0 if there is none. `where` gets its module.
std::uint64_t nextDefinition(const char *name, const link_map **where = nullptr);

/// The first definition of `name` in link-map order that is not this library's own: where the program's calls go when
/// the library came late. 0 if there is none.
std::uint64_t firstDefinition(const char *name, const link_map **where = nullptr);

/// Whether a module before this library (the program, an earlier preload) defines `name`, so that calls bind there.
bool isPreempted(const char *name);

/// The initial process stack as the kernel built it: argc, argv, envp, auxv. Null if ld.so does not tell.
const std::uint64_t *initialStack();

} // namespace capture::tracer
