// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/eh_frame.h"

#include <cstdint>

struct link_map;
struct dl_find_object;

namespace capture::unwind {

/// A module of this process, found by a pc.
struct LocalModule
{
    EhFrameTables tables;             ///< sections as mapped: pcs are run-time addresses
    std::uint64_t begin = 0, end = 0; ///< the addresses that the module spans
    link_map *linkMap = nullptr;      ///< the loader's; null for the vdso where the loader does not know it
    /// What of them around the pc is its own alone: all, unless its segments leave room between them, where another module may lie.
    std::uint64_t nearBegin = 0, nearEnd = 0;
};

/// The type of glibc's _dl_find_object (2.35 and later), which takes no lock.
using FindObject = int (*)(void *address, dl_find_object *result);

/// _dl_find_object by a weak reference, null with an older glibc. Who must not have a reference to a newer symbol
/// version in its file at all finds the function in its own way and passes it to findModule().
FindObject weakFindObject();

/// The module of this process that holds `pc`. No lock, no heap, no loader call but `findObject`; safe in a signal
/// handler. False where no module holds it, or where `findObject` is null and it is not the vdso's.
/// The module must not be unloaded meanwhile: a pc on the caller's own stack keeps it.
bool findModule(FindObject findObject, std::uint64_t pc, LocalModule &module);

/// Makes a module of an ELF image mapped from `base` up to `end`: its tables, bounded by its own program headers.
/// False where no ELF header or no call-frame information is there.
bool moduleFromImage(std::uint64_t base, std::uint64_t end, LocalModule &module);

} // namespace capture::unwind
