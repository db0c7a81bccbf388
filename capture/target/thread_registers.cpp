// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/thread_registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

namespace capture {

long trace(int request, std::int32_t tid, void *address, void *data)
{
    return ::ptrace(static_cast<__ptrace_request>(request), tid, address, data);
}

void *asTraceArgument(std::uint64_t value) { return reinterpret_cast<void *>(static_cast<std::uintptr_t>(value)); }

bool readGeneralRegisters(std::int32_t tid, user_regs_struct &registers)
{
    iovec part{&registers, sizeof registers};
    return trace(PTRACE_GETREGSET, tid, asTraceArgument(NT_PRSTATUS), &part) == 0 && part.iov_len == sizeof registers;
}

bool writeGeneralRegisters(std::int32_t tid, const user_regs_struct &registers)
{
    user_regs_struct copy = registers;
    iovec part{&copy, sizeof copy};
    return trace(PTRACE_SETREGSET, tid, asTraceArgument(NT_PRSTATUS), &part) == 0;
}

bool setSignalMask(std::int32_t tid, std::uint64_t mask)
{
    return trace(PTRACE_SETSIGMASK, tid, asTraceArgument(sizeof mask), &mask) == 0;
}

bool readRegisters(std::int32_t tid, ThreadRegisters &registers)
{
    registers.extended.resize(kMostStateBytes);
    iovec part{registers.extended.data(), registers.extended.size()};
    if (trace(PTRACE_GETREGSET, tid, asTraceArgument(NT_X86_XSTATE), &part) != 0)
        return false;
    registers.extended.resize(part.iov_len);
    return trace(PTRACE_GETSIGMASK, tid, asTraceArgument(sizeof registers.signalMask), &registers.signalMask) == 0
        && readGeneralRegisters(tid, registers.general);
}

bool restoreRegisters(std::int32_t tid, const ThreadRegisters &registers)
{
    iovec part{const_cast<std::uint8_t *>(registers.extended.data()), registers.extended.size()};
    const bool isStateSet = trace(PTRACE_SETREGSET, tid, asTraceArgument(NT_X86_XSTATE), &part) == 0;
    return isStateSet && setSignalMask(tid, registers.signalMask) && writeGeneralRegisters(tid, registers.general);
}

} // namespace capture
