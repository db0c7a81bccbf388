// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/snapshot_call.h"

#include "capture/scan/snapshot_check.h"
#include "capture/target/remote_process.h"
#include "capture/target/signal_frame.h"
#include "capture/target/thread_choice.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace capture {

namespace {

constexpr std::size_t kMostStateBytes = 16384;                    // AMX: 11,008
constexpr std::uint64_t kMostFrameBytes = kMostStateBytes + 1024; ///< what is written below a stack at most
constexpr std::uint64_t kEverySignal = ~std::uint64_t{0};
constexpr int kGetRseqConfiguration = 0x420f; // PTRACE_GET_RSEQ_CONFIGURATION, from Linux 5.13 on

/// struct ptrace_rseq_configuration of the kernel.
struct RseqConfiguration
{
    std::uint64_t address = 0;
    std::uint32_t bytes = 0, signature = 0, flags = 0, padding = 0;
};

void *asPointer(std::uint64_t value) { return reinterpret_cast<void *>(static_cast<std::uintptr_t>(value)); }

long trace(int request, std::int32_t tid, void *address, void *data)
{
    return ::ptrace(static_cast<__ptrace_request>(request), tid, address, data);
}

bool readRegisters(std::int32_t tid, ThreadRegisters &registers)
{
    registers.extended.resize(kMostStateBytes);
    iovec part{registers.extended.data(), registers.extended.size()};
    if (trace(PTRACE_GETREGSET, tid, asPointer(NT_X86_XSTATE), &part) != 0)
        return false;
    registers.extended.resize(part.iov_len);
    iovec general{&registers.general, sizeof registers.general};
    return trace(PTRACE_GETSIGMASK, tid, asPointer(sizeof registers.signalMask), &registers.signalMask) == 0
        && trace(PTRACE_GETREGSET, tid, asPointer(NT_PRSTATUS), &general) == 0;
}

bool writeGeneral(std::int32_t tid, const user_regs_struct &registers)
{
    user_regs_struct copy = registers;
    iovec part{&copy, sizeof copy};
    return trace(PTRACE_SETREGSET, tid, asPointer(NT_PRSTATUS), &part) == 0;
}

bool setSignalMask(std::int32_t tid, std::uint64_t mask)
{
    return trace(PTRACE_SETSIGMASK, tid, asPointer(sizeof mask), &mask) == 0;
}

/// Everything, the general registers last: until then the thread would go on in the call, which ends by itself.
bool restore(std::int32_t tid, ThreadRegisters &registers)
{
    iovec part{registers.extended.data(), registers.extended.size()};
    const bool isStateSet = trace(PTRACE_SETREGSET, tid, asPointer(NT_X86_XSTATE), &part) == 0;
    return isStateSet && setSignalMask(tid, registers.signalMask) && writeGeneral(tid, registers.general);
}

/// Whether a thread may be in the middle of a restartable sequence.
bool isInSequence(std::int32_t pid, std::int32_t tid)
{
    RseqConfiguration rseq;
    if (trace(kGetRseqConfiguration, tid, asPointer(sizeof rseq), &rseq) <= 0 || rseq.address == 0)
        return false;           // it has none, or the kernel has no such thing
    std::uint64_t sequence = 0; // rseq_cs
    const iovec local{&sequence, sizeof sequence};
    const iovec remote{asPointer(rseq.address + 8), sizeof sequence};
    return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) != sizeof sequence || sequence != 0;
}

/// Whether the memory below the stack pointer is the stack's own, and enough. As in scan_regions.cpp: below that of a thread is a guard.
bool hasRoom(const StoppedThread &thread, const std::vector<MemoryMapping> &mappings)
{
    const auto next = std::partition_point(mappings.begin(), mappings.end(),
        [&](const MemoryMapping &mapping) { return mapping.end <= thread.stackPointer; });
    if (next == mappings.end() || next->begin > thread.stackPointer || !next->isReadable || !next->isWritable
        || next->isShared || thread.stackPointer - next->begin <= kMostFrameBytes)
        return false;
    if (next->path.starts_with("[stack"))
        return true;
    const bool hasGuard
        = next != mappings.begin() && next[-1].end == next->begin && !next[-1].isReadable && next[-1].path.empty();
    return next->path.empty() && hasGuard && thread.threadPointer >= next->begin && thread.threadPointer < next->end;
}

enum class Wait : std::uint8_t { Stopped, Signal, None, Gone };

/// Without WEXITED, as in StoppedProcess: the end of a launched command is for who launched it to see.
Wait waitOnce(std::int32_t tid, int &signal)
{
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(tid), &info, WSTOPPED | WNOHANG | __WALL) != 0)
        return Wait::Gone;
    if (info.si_pid != tid)
        return Wait::None;
    signal = info.si_status & 0xff;
    return static_cast<unsigned>(info.si_status) >> 8 == PTRACE_EVENT_STOP ? Wait::Stopped : Wait::Signal;
}

/// What can be said of the call from the memory of its command.
enum class Answer : std::uint8_t { None, Given, Overwritten };

/// The program may have overwritten it where the thread has gone back by itself.
Answer answerOf(const wire::SnapshotCommand &asked, const wire::SnapshotCommand &seen)
{
    const bool isOurs = seen.magic == asked.magic && seen.context == asked.context && seen.recorder == asked.recorder
        && seen.limitMs == asked.limitMs && seen.forkLimitMs == asked.forkLimitMs && seen.padding == asked.padding
        && seen.stage <= wire::SnapshotStage::Busy;
    if (!isOurs)
        return Answer::Overwritten;
    return seen.stage == wire::SnapshotStage::Running ? Answer::None : Answer::Given;
}

/// Gives back a thread that is stopped, by `signal` or (0) by us. One that has gone back by itself, as we were held up, keeps its registers and
/// gets its signal. Whether it was still in the call; an error if it cannot be said or done.
model::Result<bool> takeBack(
    StoppedProcess &process, std::int32_t tid, std::uint64_t entry, int signal, ThreadRegisters &stopped)
{
    user_regs_struct registers{};
    iovec part{&registers, sizeof registers};
    if (trace(PTRACE_GETREGSET, tid, asPointer(NT_PRSTATUS), &part) != 0)
        return model::systemError("a thread cannot be looked at", errno);
    if (registers.rip >= entry && registers.rip < entry + wire::kSnapshotFunctionBytes) {
        if (!restore(tid, stopped))
            return model::systemError("a thread cannot be given back", errno);
        return true;
    }
    if (signal != 0) {
        trace(PTRACE_DETACH, tid, nullptr, asPointer(static_cast<std::uint64_t>(signal)));
        process.letGo(tid);
    } else {
        const user_regs_struct before = registers;
        hideInterruption(registers, process.pid(), tid);
        if (std::memcmp(&before, &registers, sizeof registers) != 0)
            writeGeneral(tid, registers);
    }
    return false;
}

} // namespace

std::optional<std::int32_t> threadForSnapshot(const StoppedProcess &process, const std::vector<MemoryMapping> &mappings)
{
    for (const StoppedThread &thread : process.threads())
        if (hasRoom(thread, mappings) && !isInSequence(process.pid(), thread.tid)
            && hasChildrenAmongUs(process.pid(), thread.tid))
            return thread.tid;
    return std::nullopt;
}

model::Result<void> callSnapshot(StoppedProcess &process, std::int32_t tid, std::uint64_t entry,
    wire::SnapshotCommand &command, std::chrono::milliseconds limit)
{
    const RemoteProcess memory(process.pid());
    ThreadRegisters stopped;
    if (!memory.isOpen() || !readRegisters(tid, stopped))
        return model::systemError(fmt::format("thread {} cannot be looked at", tid), errno);
    // The tracer's code ends the call by itself, so there is nothing to return to.
    const SignalFrame frame = makeSignalFrame(stopped, 0);
    command.context = frame.context();
    command.forkLimitMs = static_cast<std::uint32_t>(limit.count() * 9 / 10);
    const wire::SnapshotCommand asked = command;
    static_assert(sizeof command <= SignalFrame::kSpareBytes);
    if (!memory.write(frame.address, frame.bytes.data(), frame.bytes.size())
        || !memory.write(frame.spare(), &command, sizeof command))
        return model::systemError("its stack cannot be written to", errno);
    user_regs_struct call = stopped.general;
    call.rip = entry;
    call.rsp = frame.address;
    call.rdi = frame.spare();
    call.eflags &= ~0x500ull; // neither backwards (DF) nor step by step (TF)
    call.orig_rax = static_cast<unsigned long long>(-1);
    if (!writeGeneral(tid, call) || !setSignalMask(tid, kEverySignal)
        || trace(PTRACE_CONT, tid, nullptr, nullptr) != 0) {
        const int error = errno;
        restore(tid, stopped);
        return model::systemError("the call cannot be started", error);
    }
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool isStopped = false, isInterrupted = false, isSignalled = false;
    Answer answer = Answer::None;
    int signal = 0;
    while (!isStopped) {
        if (answer == Answer::None && memory.read(frame.spare(), &command, sizeof command))
            answer = answerOf(asked, command);
        if (!isInterrupted && answer != Answer::None)
            isInterrupted = trace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
        const Wait got = waitOnce(tid, signal);
        isSignalled = got == Wait::Signal;
        isStopped = isSignalled || (got == Wait::Stopped && isInterrupted);
        if (got == Wait::Stopped
            && !isInterrupted) // a signal such as SIGSTOP stops the whole process: the call comes first
            trace(PTRACE_CONT, tid, nullptr, nullptr);
        if (got == Wait::Gone)
            return model::Error("it ended meanwhile");
        if (!isStopped && std::chrono::steady_clock::now() > deadline) {
            process.letGo(tid); // goes back by itself
            return model::Error("the kernel took too long to copy it");
        }
        const timespec aMoment{0, 20'000};
        if (!isStopped)
            ::nanosleep(&aMoment, nullptr);
    }
    const auto wasInCall = takeBack(process, tid, entry, isSignalled ? signal : 0, stopped);
    if (answer != Answer::Given)
        command.helper = command.snapshot = 0;
    if (!wasInCall)
        return wasInCall.error();
    if (*wasInCall && isSignalled) // all that can be are blocked: the call itself went wrong
        return model::Error(fmt::format("the copy failed with signal {}", signal));
    if (answer != Answer::Given)
        return model::Error("its answer was lost, as the recorder was held up");
    return {};
}

} // namespace capture
