// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <chrono>
#include <cstdint>
#include <vector>

namespace capture {

/// What a scan needs of a stopped thread.
struct StoppedThread
{
    std::int32_t tid = 0;
    std::uint64_t stackPointer = 0;
    std::uint64_t threadPointer
        = 0; ///< fs base: the thread's control block, with its static thread-local memory below it
    std::vector<std::uint64_t> values; ///< of all registers, vector ones too: a compiler keeps pointers anywhere
};

/// A process all threads of which stand still (ptrace(2), PTRACE_SEIZE), until this object or the thread that made it ends. To be made
/// on a thread of its own that ends soon: a thread that would not stop in time is let go by the kernel only then. Never reaps a child.
class StoppedProcess
{
public:
    /// Stops all threads, again until there are no new ones. Fails if one may not be traced, as it is traced already or rights are
    /// missing; the process runs on then.
    static model::Result<StoppedProcess> stop(std::int32_t pid, std::chrono::milliseconds limit);

    StoppedProcess(StoppedProcess &&other) noexcept;
    StoppedProcess &operator=(StoppedProcess &&) = delete;
    ~StoppedProcess() { resume(); }

    std::int32_t pid() const { return m_pid; }
    const std::vector<StoppedThread> &threads() const { return m_threads; }
    /// Threads that did not stop in time (in an uninterruptible call), and of which no register is known.
    std::int64_t missedThreads() const { return m_missed; }
    /// Waiting system calls that the stop makes fail with EINTR.
    std::int64_t interruptedCalls() const { return m_interruptedCalls; }

    /// Whether the process was stopped by a signal such as SIGSTOP before, or while, it was stopped by us.
    bool isJobStopped() const { return m_isJobStopped; }

    /// Lets all threads run on, as they were.
    void resume();
    /// From now on a thread that runs already is not waited for: the kernel lets go of it with the end of this thread.
    void letGo(std::int32_t tid);

private:
    struct Trace
    {
        std::int32_t tid = 0;
        bool isStopped = false;
    };

    explicit StoppedProcess(std::int32_t pid)
        : m_pid(pid)
    {
    }
    model::Result<bool> seizeNew();
    bool waitFor(Trace &trace, std::chrono::steady_clock::time_point deadline);
    void readThread(const Trace &trace);

    std::int32_t m_pid;
    std::vector<Trace> m_traces;
    std::vector<StoppedThread> m_threads;
    std::int64_t m_missed = 0;
    std::int64_t m_interruptedCalls = 0;
    bool m_isJobStopped = false;
};

} // namespace capture
