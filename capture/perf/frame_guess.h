// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/address_space.h"
#include "capture/unwind/registers.h"
#include "capture/unwind/unwinder.h"

#include <cstdint>

namespace capture {

/// Steps of one walk that the tables do not cover (code that was built without them, or that a JIT made), by the frame pointer; and whether what such
/// a guess led to can be true. Capture thread only.
class FrameGuess
{
public:
    FrameGuess(CodeFiles &files, const AddressSpace &space, std::int32_t pid)
        : m_files(files)
        , m_space(space)
        , m_pid(pid)
    {
    }

    /// Moves `registers` to the caller; of those that a function leaves as they are only rbp is known then. NoUnwindInfo, with nothing changed, where rbp
    /// can be no frame pointer, or what lies there no return address.
    unwind::StepResult step(unwind::Registers &registers, const unwind::MemoryView &memory);

    /// The same for the code that a sample was taken in, where it stands behind a system call: stubs of the C library that the tables leave out
    /// (clone3()) keep nothing below their return address. ReachedStart where a thread that such a call made has just begun.
    unwind::StepResult stepFromSystemCall(unwind::Registers &registers, const unwind::MemoryView &memory);

    /// What the step of a rule to `pc` comes to, once a guess was made before it: where that was wrong, the rule's step leads to what is no code, too.
    unwind::StepResult checked(unwind::StepResult result, std::uint64_t pc, bool isExact);

private:
    bool isReturnAddress(std::uint64_t pc, bool isChained);

    CodeFiles &m_files;
    const AddressSpace &m_space;
    std::int32_t m_pid;
    bool m_hasGuessed = false;
};

} // namespace capture
