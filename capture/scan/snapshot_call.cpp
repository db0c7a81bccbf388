// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/snapshot_call.h"

#include "capture/scan/snapshot_check.h"
#include "capture/target/remote_process.h"
#include "capture/target/restartable_sequence.h"
#include "capture/target/signal_frame.h"
#include "capture/target/stack_room.h"
#include "capture/target/thread_choice.h"
#include "capture/target/thread_registers.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <cstring>

namespace capture {

namespace {

constexpr std::uint64_t kMostFrameBytes = kMostStateBytes + 1024; ///< what is written below a stack at most
constexpr std::uint64_t kEverySignal = ~std::uint64_t{0};

bool canBorrow(const StoppedProcess &process, const StoppedThread &thread, const std::vector<MemoryMapping> &mappings)
{
    user_regs_struct registers{};
    return stackRoom(mappings, thread.stackPointer, thread.threadPointer, kMostFrameBytes) == StackRoom::Enough
        && readGeneralRegisters(thread.tid, registers)
        && !isInRestartableSequence(process.pid(), thread.tid, registers.rip);
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

/// How the wait for a call ended: the thread stands still.
struct CallEnd
{
    Answer answer = Answer::None;
    int signal = 0; ///< that stopped it; 0: we did
};

/// Where the answer is to come, and how long it is waited for.
struct CallPlace
{
    const RemoteProcess &memory;
    std::uint64_t command;
    std::chrono::milliseconds limit;
};

/// Waits until the call has said what came of it, and stops the thread. An error if it is not there any more, or was let go as it took too long.
model::Result<void> waitForEnd(StoppedProcess &process, std::int32_t tid, const wire::SnapshotCommand &asked,
    const CallPlace &place, wire::SnapshotCommand &command, CallEnd &end)
{
    const auto deadline = std::chrono::steady_clock::now() + place.limit;
    bool isInterrupted = false;
    for (;;) {
        if (end.answer == Answer::None && place.memory.read(place.command, &command, sizeof command))
            end.answer = answerOf(asked, command);
        if (!isInterrupted && end.answer != Answer::None)
            isInterrupted = trace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0;
        int signal = 0;
        const Wait got = waitOnce(tid, signal);
        if (got == Wait::Gone)
            return model::Error("it ended meanwhile");
        if (got == Wait::Signal && signal != SIGSTOP)
            end.signal = signal;
        if (end.signal != 0 || (got == Wait::Stopped && isInterrupted))
            return {};
        // SIGSTOP, which nothing blocks, is delivered: it stops the whole process as soon as we let go of it. The call comes first.
        if (got != Wait::None)
            trace(PTRACE_CONT, tid, nullptr, asTraceArgument(got == Wait::Signal ? std::uint64_t{SIGSTOP} : 0));
        if (std::chrono::steady_clock::now() > deadline) {
            process.letGo(tid); // goes back by itself
            return model::Error("the kernel took too long to copy it");
        }
        const timespec aMoment{0, 20'000};
        ::nanosleep(&aMoment, nullptr);
    }
}

/// Gives back a thread that is stopped, by `signal` or (0) by us. One that has gone back by itself, as we were held up, keeps its registers and
/// gets its signal. Whether it was still in the call; an error if it cannot be said or done.
model::Result<bool> takeBack(
    StoppedProcess &process, std::int32_t tid, std::uint64_t entry, int signal, ThreadRegisters &stopped)
{
    user_regs_struct registers{};
    if (!readGeneralRegisters(tid, registers))
        return model::systemError("a thread cannot be looked at", errno);
    if (registers.rip >= entry && registers.rip < entry + wire::kSnapshotFunctionBytes) {
        if (!restoreRegisters(tid, stopped))
            return model::systemError("a thread cannot be given back", errno);
        return true;
    }
    if (signal != 0) {
        trace(PTRACE_DETACH, tid, nullptr, asTraceArgument(static_cast<std::uint64_t>(signal)));
        process.letGo(tid);
    } else {
        const user_regs_struct before = registers;
        hideInterruption(registers, process.pid(), tid);
        if (std::memcmp(&before, &registers, sizeof registers) != 0)
            writeGeneralRegisters(tid, registers);
    }
    return false;
}

} // namespace

std::optional<std::int32_t> threadForSnapshot(const StoppedProcess &process, const std::vector<MemoryMapping> &mappings)
{
    for (const StoppedThread &thread : process.threads())
        if (canBorrow(process, thread, mappings) && hasChildrenAmongUs(process.pid(), thread.tid))
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
    if (!writeGeneralRegisters(tid, call) || !setSignalMask(tid, kEverySignal)
        || trace(PTRACE_CONT, tid, nullptr, nullptr) != 0) {
        const int error = errno;
        restoreRegisters(tid, stopped);
        return model::systemError("the call cannot be started", error);
    }
    CallEnd end;
    if (const auto waited = waitForEnd(process, tid, asked, {memory, frame.spare(), limit}, command, end); !waited)
        return waited.error();
    const auto wasInCall = takeBack(process, tid, entry, end.signal, stopped);
    if (end.answer != Answer::Given)
        command.helper = command.snapshot = 0;
    if (!wasInCall)
        return wasInCall.error();
    if (*wasInCall && end.signal != 0) // all that can be are blocked: the call itself went wrong
        return model::Error(fmt::format("the copy failed with signal {}", end.signal));
    if (end.answer != Answer::Given)
        return model::Error("its answer was lost, as the recorder was held up");
    return {};
}

} // namespace capture
