// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

/// All that a thread's state in user mode consists of.
struct ThreadRegisters
{
    user_regs_struct general{};
    std::vector<std::uint8_t> extended; ///< the XSAVE area, standard form, as PTRACE_GETREGSET gives it
    std::uint64_t signalMask = 0;
};
inline constexpr std::size_t kMostStateBytes = 16384; ///< of ThreadRegisters::extended. AMX: 11,008

/// ptrace(2), which glibc declares with an enum for the request.
long trace(int request, std::int32_t tid, void *address, void *data);
/// A number as ptrace's third and fourth arguments are given.
void *asTraceArgument(std::uint64_t value);

// Of a thread that stands still and is traced by the calling one. False with errno where the kernel refuses.

bool readGeneralRegisters(std::int32_t tid, user_regs_struct &registers);
bool writeGeneralRegisters(std::int32_t tid, const user_regs_struct &registers);
bool setSignalMask(std::int32_t tid, std::uint64_t mask);
bool readRegisters(std::int32_t tid, ThreadRegisters &registers);
/// Everything, the general registers last: until then the thread would go on where it is.
bool restoreRegisters(std::int32_t tid, const ThreadRegisters &registers);

} // namespace capture
