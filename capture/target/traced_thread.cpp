// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/traced_thread.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>

namespace capture {

namespace {

constexpr std::chrono::microseconds kShort{500};

} // namespace

int TracedThread::seize()
{
    if (trace(PTRACE_SEIZE, m_tid, nullptr, asTraceArgument(PTRACE_O_TRACESYSGOOD)) != 0)
        return errno;
    m_isTraced = true;
    return 0;
}

TracedThread::Stop TracedThread::wait(std::chrono::microseconds limit)
{
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        // The end of a launched command is for who launched it to see: it is looked at, and left.
        siginfo_t info{};
        const int failed
            = ::waitid(P_PID, static_cast<id_t>(m_tid), &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL);
        const bool isStopped = failed == 0 && info.si_pid == m_tid && info.si_code == CLD_TRAPPED;
        if (failed != 0 || (info.si_pid == m_tid && !isStopped)) {
            m_isTraced = m_isStopped = false;
            return Stop::Gone;
        }
        if (isStopped && ::waitid(P_PID, static_cast<id_t>(m_tid), &info, WSTOPPED | WNOHANG | __WALL) == 0
            && info.si_pid == m_tid) {
            m_isStopped = true;
            m_signal = 0;
            const int signal = info.si_status & 0xff;
            if (info.si_status >> 8 == PTRACE_EVENT_STOP)
                return signal == SIGTRAP ? Stop::Interrupt : Stop::Job;
            if (signal == (SIGTRAP | 0x80))
                return Stop::Syscall;
            m_signal = signal;
            return Stop::Signal;
        }
        const auto waited = std::chrono::steady_clock::now() - begin;
        if (waited > limit)
            return Stop::None;
        // Asleep, not spinning: the other thread may have been running on this very processor.
        const timespec aMoment{0, waited < kShort ? 10'000 : 50'000};
        ::nanosleep(&aMoment, nullptr);
    }
}

TracedThread::Stop TracedThread::interrupt(std::chrono::microseconds limit)
{
    if (trace(PTRACE_INTERRUPT, m_tid, nullptr, nullptr) != 0)
        return Stop::Gone;
    if (m_isStopped && !resume())
        return Stop::Gone;
    for (;;) {
        const Stop stop = wait(limit);
        if (stop != Stop::Signal && stop != Stop::Syscall)
            return stop;
        resume(); // the interrupt is still to come
    }
}

bool TracedThread::resumeBy(int request)
{
    if (!m_isStopped || trace(request, m_tid, nullptr, asTraceArgument(static_cast<std::uint64_t>(m_signal))) != 0)
        return false;
    m_isStopped = false;
    m_signal = 0;
    return true;
}

bool TracedThread::resume() { return resumeBy(PTRACE_CONT); }

bool TracedThread::resumeToSyscall() { return resumeBy(PTRACE_SYSCALL); }

void TracedThread::detach()
{
    if (m_isTraced && m_isStopped)
        m_isTraced = !resumeBy(PTRACE_DETACH);
}

bool TracedThread::readGeneral(user_regs_struct &registers) const { return readGeneralRegisters(m_tid, registers); }

bool TracedThread::writeGeneral(const user_regs_struct &registers) const
{
    return writeGeneralRegisters(m_tid, registers);
}

bool TracedThread::read(ThreadRegisters &registers) const { return readRegisters(m_tid, registers); }

bool TracedThread::restore(const ThreadRegisters &registers) const { return restoreRegisters(m_tid, registers); }

bool TracedThread::setSignalMask(std::uint64_t mask) const { return capture::setSignalMask(m_tid, mask); }

} // namespace capture
