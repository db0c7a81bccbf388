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

/// The parts of a module's dynamic section that lookups need: for who looks up many names in one module. Valid while that is loaded.
class ModuleSymbols
{
public:
    explicit ModuleSymbols(const link_map *module);

    /// The entry of a name that the module defines; null if there is none. Of several versions as symbolOf().
    const Elf64_Sym *entry(const char *name) const;
    /// Calls `visit(name, data)` for each name that the module asks for without needing it: its weak references.
    void visitWeakReferences(void (*visit)(const char *name, void *data), void *data) const;

private:
    struct Match;
    void searchGnuHash(Match &match) const;
    void searchSysvHash(Match &match) const;

    const Elf64_Sym *m_symbols = nullptr;
    const char *m_names = nullptr;
    const std::uint16_t *m_versions = nullptr;
    const std::uint32_t *m_gnuHash = nullptr;
    const std::uint32_t *m_hash = nullptr;
};

/// ModuleSymbols::entry() of a single name.
inline const Elf64_Sym *symbolEntry(const link_map *module, const char *name)
{
    return ModuleSymbols(module).entry(name);
}

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
