// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/thread_registers.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

/// The frame that the kernel builds on a thread's stack when it calls a signal handler, built by us: a thread that executes
/// rt_sigreturn on it goes on as the frame says. A call that returns to this frame ends well by itself, whether or not
/// whoever made the call is still there. x86-64.
struct SignalFrame
{
    std::vector<std::uint8_t> bytes;
    std::uint64_t address
        = 0; ///< where they belong. First the return address, by which a function gets to rt_sigreturn
    std::uint64_t context() const { return address + 8; } ///< what the stack pointer must be at rt_sigreturn
    /// kSpareBytes within it that rt_sigreturn does not read, for the arguments of a call. Aligned to 8 bytes.
    std::uint64_t spare() const { return address + 312; }
    static constexpr std::uint64_t kSpareBytes = 128;
};

/// The registers with which a stopped thread is to go on: its own, but that a system call which the stop interrupted is
/// begun again, where the kernel would do that too.
user_regs_struct resumedRegisters(const user_regs_struct &stopped);

/// A frame below the stack of a stopped thread (and below its red zone) that leads back to where it was stopped. `restorer` is the
/// address of code that executes rt_sigreturn.
SignalFrame makeSignalFrame(const ThreadRegisters &stopped, std::uint64_t restorer);

} // namespace capture
