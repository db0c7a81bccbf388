// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/address_space.h"
#include "capture/unwind/registers.h"
#include "capture/unwind/unwinder.h"

namespace capture {

/// One step by libunwind, for code that the tables do not cover (what a JIT made, hand-written assembly): it knows
/// the kernel's signal frames, and follows the frame pointer where that is plausible. Capture thread only.
class FrameGuess
{
public:
    FrameGuess();
    ~FrameGuess();
    FrameGuess(const FrameGuess &) = delete;
    FrameGuess &operator=(const FrameGuess &) = delete;

    /// Moves `registers` to the caller. False, with nothing changed, where libunwind sees no caller either, or one that cannot be: its
    /// pc not in code, its stack pointer not above.
    bool step(unwind::Registers &registers, const unwind::CopiedStack &stack, const AddressSpace &space);

private:
    void *m_space;
};

} // namespace capture
