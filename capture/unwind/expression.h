// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/unwinder.h"

namespace capture::unwind {

/// Evaluates the expression at offset `at` of `section` (led by its length) over a frame's registers and memory.
/// `initial`, if not null, is pushed first (the CFA, for register rules). Stepped: `result` is set. BadRule: damaged,
/// unknown or endless. Unreadable: it reads outside the stack.
StepResult evaluate(const Section &section, std::int32_t at, const Registers &registers, const MemoryView &memory,
    const std::uint64_t *initial, std::uint64_t &result);

} // namespace capture::unwind
