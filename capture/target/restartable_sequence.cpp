// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/restartable_sequence.h"

#include "capture/target/thread_registers.h"

#include <sys/uio.h>

namespace capture {

namespace {

constexpr int kGetRseqConfiguration = 0x420f; // PTRACE_GET_RSEQ_CONFIGURATION, from Linux 5.13 on

/// struct ptrace_rseq_configuration of the kernel.
struct RseqConfiguration
{
    std::uint64_t address = 0;
    std::uint32_t bytes = 0, signature = 0, flags = 0, padding = 0;
};

/// struct rseq_cs of the kernel.
struct RseqSequence
{
    std::uint32_t version = 0, flags = 0;
    std::uint64_t begin = 0, bytes = 0, abort = 0;
};

template <typename T> bool read(std::int32_t pid, std::uint64_t address, T &value)
{
    const iovec local{&value, sizeof value};
    const iovec remote{asTraceArgument(address), sizeof value};
    return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(sizeof value);
}

} // namespace

bool isInRestartableSequence(std::int32_t pid, std::int32_t tid, std::uint64_t instruction)
{
    RseqConfiguration rseq;
    if (trace(kGetRseqConfiguration, tid, asTraceArgument(sizeof rseq), &rseq) <= 0 || rseq.address == 0)
        return false; // it has none, or the kernel has no such thing
    std::uint64_t address = 0;
    if (!read(pid, rseq.address + 8, address))
        return true;
    if (address == 0)
        return false;
    // The kernel clears the address of a sequence that was left some time after that.
    RseqSequence sequence;
    return !read(pid, address, sequence) || instruction - sequence.begin < sequence.bytes;
}

} // namespace capture
