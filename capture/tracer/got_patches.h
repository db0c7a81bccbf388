// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// What a walk over the slots found and did.
struct PatchCounts
{
    std::uint32_t modules = 0;
    std::uint32_t slots = 0;          ///< lead to us now, or were put back
    std::uint32_t slotsElsewhere = 0; ///< left alone: they lead to another definition than most do
    std::uint32_t slotsFailed = 0;    ///< to be changed, but there was no memory or no way to write the page
    std::uint32_t modulesSkipped = 0; ///< their tables make no sense
};

/// The slots through which modules call the functions that we stand in front of: relocated words of the global offset tables
/// and of data, and the loader's own four pointers. Redirected where the library came late, and put back on demand.
///
/// A slot is redirected only if it leads to the definition that hooks pass their calls on to (or is still unresolved and would):
/// so no block ever meets another allocator than without us. Redirecting again finds what came since.
///
/// Call both with the loader's lock held, so that no module is being relocated or let go. Slots are written whole, while
/// other threads call through them; pages that relocation made read-only are so again afterwards. Allocates nothing.
PatchCounts redirectSlots();
PatchCounts restoreSlots();

} // namespace capture::tracer
