// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/signal_frame.h"

#include <chrono>
#include <cstdint>
#include <utility>

namespace capture {

/// A thread of another process that this thread traces (ptrace(2), PTRACE_SEIZE): it can be stopped, looked at, changed, and
/// let go. If the tracing thread ends at any moment, the kernel lets the traced one run on as it is then.
/// All calls from the thread that made it.
class TracedThread
{
public:
    enum class Stop : std::uint8_t {
        None,      ///< it did not stop in time
        Interrupt, ///< by interrupt()
        Job,       ///< the whole process is stopped by a signal such as SIGSTOP
        Syscall,   ///< at the begin or end of a system call
        Signal,    ///< about to get a signal: resume() delivers it
        Gone,      ///< it has ended
    };

    explicit TracedThread(std::int32_t tid)
        : m_tid(tid)
    {
    }
    /// Lets it go, if it is stopped; else the end of this thread does.
    ~TracedThread() { detach(); }
    TracedThread(const TracedThread &) = delete;
    TracedThread &operator=(const TracedThread &) = delete;

    /// Begins to trace; 0, or the errno value.
    int seize();
    /// Stops it; signals that come first are delivered. A thread that is stopped otherwise gets to this stop without executing
    /// anything: here the kernel begins interrupted system calls again as the registers say.
    /// A process that a signal has stopped gives Stop::Job, which is as good a place.
    Stop interrupt(std::chrono::microseconds limit);
    Stop wait(std::chrono::microseconds limit);
    bool resume();
    /// Resumes it up to the next begin or end of a system call.
    bool resumeToSyscall();
    void detach();

    bool readGeneral(user_regs_struct &registers) const;
    bool writeGeneral(const user_regs_struct &registers) const;
    bool read(ThreadRegisters &registers) const;
    /// Everything, the general registers last: until then the thread would go on where it is.
    bool restore(const ThreadRegisters &registers) const;
    bool setSignalMask(std::uint64_t mask) const;

    std::int32_t tid() const { return m_tid; }
    /// The signal of a stop by signal, which resume() delivers; 0 at any other stop.
    int signal() const { return m_signal; }
    /// The same, which is then not delivered.
    int dropSignal() { return std::exchange(m_signal, 0); }

private:
    bool resumeBy(int request);

    std::int32_t m_tid;
    bool m_isTraced = false;
    bool m_isStopped = false;
    int m_signal = 0; ///< of a stop by signal: not yet delivered
};

} // namespace capture
