// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/known_memory.h"

#include <cstdint>
#include <optional>
#include <span>

namespace capture {

/// Finds glibc's main_arena among the variables of libc.so.6 that begin at `address`: its list heads of free memory point at blocks that
/// are none, or into the ends of neighbours. Known by its bins, most of which are empty and then point to themselves (malloc/malloc.c,
/// struct malloc_state, of glibc 2.27 and later on x86-64). Empty if it is not there, as with another allocator. Pure.
std::optional<KnownMemory::Range> findMainArena(std::span<const std::uint64_t> words, std::uint64_t address);

} // namespace capture
