// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/stopped_process.h"

#include "capture/proc/proc_reader.h"
#include "capture/target/thread_choice.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostStateBytes = 16384; // AMX: 11,008
constexpr int kMostRounds = 30;
constexpr unsigned kStopEvent = PTRACE_EVENT_STOP;

void *asPointer(std::uint64_t value) { return reinterpret_cast<void *>(static_cast<std::uintptr_t>(value)); }

long trace(int request, std::int32_t tid, void *address, void *data)
{
    return ::ptrace(static_cast<__ptrace_request>(request), tid, address, data);
}

void append(std::vector<std::uint64_t> &values, const void *bytes, std::size_t count)
{
    const std::size_t before = values.size();
    values.resize(before + count / sizeof(std::uint64_t));
    std::memcpy(values.data() + before, bytes, count / sizeof(std::uint64_t) * sizeof(std::uint64_t));
}

} // namespace

StoppedProcess::StoppedProcess(StoppedProcess &&other) noexcept
    : m_pid(other.m_pid)
    , m_traces(std::exchange(other.m_traces, {}))
    , m_threads(std::move(other.m_threads))
    , m_missed(other.m_missed)
    , m_interruptedCalls(other.m_interruptedCalls)
    , m_isJobStopped(other.m_isJobStopped)
{
}

model::Result<StoppedProcess> StoppedProcess::stop(std::int32_t pid, std::chrono::milliseconds limit)
{
    StoppedProcess process(pid);
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::size_t settled = 0;
    for (int round = 0; round < kMostRounds; ++round) {
        const auto hasNew = process.seizeNew();
        if (!hasNew)
            return hasNew.error();
        if (!*hasNew)
            break;
        for (; settled < process.m_traces.size(); ++settled)
            process.m_missed += process.waitFor(process.m_traces[settled], deadline) ? 0 : 1;
    }
    for (const Trace &one : process.m_traces)
        if (one.isStopped)
            process.readThread(one);
    if (process.m_threads.empty())
        return model::Error(fmt::format("Process {} did not stop", pid));
    return process;
}

/// Traces the threads that are not yet, and asks them to stop. Whether there were any.
model::Result<bool> StoppedProcess::seizeNew()
{
    const auto tids = numberedEntries(fmt::format("/proc/{}/task", m_pid));
    if (!tids)
        return model::Error(fmt::format("Process {} has ended", m_pid));
    const std::size_t before = m_traces.size();
    for (const std::int32_t tid : *tids) {
        if (std::any_of(m_traces.begin(), m_traces.end(), [=](const Trace &one) { return one.tid == tid; }))
            continue;
        if (trace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0) {
            m_traces.push_back({tid, false});
            trace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
        } else if (errno != ESRCH) {
            const int error = errno;
            return model::systemError(fmt::format("Cannot stop thread {} of process {}", tid, m_pid), error,
                "is it traced by a debugger, or ending? genprof doctor PID says whether it may be traced");
        }
    }
    return m_traces.size() > before;
}

bool StoppedProcess::waitFor(Trace &one, std::chrono::steady_clock::time_point deadline)
{
    for (;;) {
        siginfo_t info{};
        // Without WEXITED: the end of a launched command is for who launched it to see.
        if (::waitid(P_PID, static_cast<id_t>(one.tid), &info, WSTOPPED | WNOHANG | __WALL) != 0)
            return true; // it has ended
        if (info.si_pid == one.tid && info.si_code == CLD_TRAPPED) {
            if (static_cast<unsigned>(info.si_status) >> 8 == kStopEvent) {
                one.isStopped = true;
                m_isJobStopped = m_isJobStopped || (info.si_status & 0xff) != SIGTRAP;
                return true;
            }
            // A signal came first: it is delivered, and the stop is still to come.
            const auto signal = static_cast<std::uint64_t>(info.si_status & 0xff);
            trace(PTRACE_CONT, one.tid, nullptr, asPointer(signal));
            continue;
        }
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        if (processState(one.tid).value_or('Z') == 'Z')
            return true;
        const timespec aMoment{0, 20'000};
        ::nanosleep(&aMoment, nullptr);
    }
}

void StoppedProcess::readThread(const Trace &one)
{
    user_regs_struct general{};
    iovec part{&general, sizeof general};
    if (trace(PTRACE_GETREGSET, one.tid, asPointer(NT_PRSTATUS), &part) != 0) {
        ++m_missed;
        return;
    }
    StoppedThread thread{one.tid, general.rsp, general.fs_base, {}};
    append(thread.values, &general, sizeof general);
    std::array<std::uint64_t, kMostStateBytes / sizeof(std::uint64_t)> state;
    iovec extended{state.data(), kMostStateBytes};
    if (trace(PTRACE_GETREGSET, one.tid, asPointer(NT_X86_XSTATE), &extended) == 0)
        append(thread.values, state.data(), extended.iov_len);
    m_threads.push_back(std::move(thread));
    const user_regs_struct before = general;
    m_interruptedCalls += hideInterruption(general, m_pid, one.tid) ? 1 : 0;
    if (std::memcmp(&before, &general, sizeof general) != 0)
        trace(PTRACE_SETREGSET, one.tid, asPointer(NT_PRSTATUS), &part);
}

void StoppedProcess::resume()
{
    for (Trace &one : m_traces)
        if (std::exchange(one.isStopped, false))
            trace(PTRACE_DETACH, one.tid, nullptr, nullptr);
}

void StoppedProcess::letGo(std::int32_t tid)
{
    for (Trace &one : m_traces)
        if (one.tid == tid)
            one.isStopped = false;
}

} // namespace capture
