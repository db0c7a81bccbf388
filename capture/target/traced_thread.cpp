// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/traced_thread.h"

#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>

namespace capture {

namespace {

constexpr std::size_t kMostStateBytes = 16384; // AMX: 11,008
constexpr std::chrono::microseconds kShort{500};

void *asPointer(std::uint64_t value) { return reinterpret_cast<void *>(static_cast<std::uintptr_t>(value)); }

/// ptrace is a macro-like variadic function in glibc, with an enum for the request.
long trace(int request, std::int32_t tid, void *address, void *data)
{
    return ::ptrace(static_cast<__ptrace_request>(request), tid, address, data);
}

} // namespace

int TracedThread::seize()
{
    if (trace(PTRACE_SEIZE, m_tid, nullptr, asPointer(PTRACE_O_TRACESYSGOOD)) != 0)
        return errno;
    m_isTraced = true;
    return 0;
}

TracedThread::Stop TracedThread::wait(std::chrono::microseconds limit)
{
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        int status = 0;
        const pid_t got = ::waitpid(m_tid, &status, __WALL | WNOHANG);
        if (got < 0 || (got == m_tid && (WIFEXITED(status) || WIFSIGNALED(status)))) {
            m_isTraced = m_isStopped = false;
            return Stop::Gone;
        }
        if (got == m_tid && WIFSTOPPED(status)) {
            m_isStopped = true;
            m_signal = 0;
            const int signal = WSTOPSIG(status);
            if (status >> 16 == PTRACE_EVENT_STOP)
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
    if (!m_isStopped || trace(request, m_tid, nullptr, asPointer(static_cast<std::uint64_t>(m_signal))) != 0)
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

bool TracedThread::readGeneral(user_regs_struct &registers) const
{
    iovec part{&registers, sizeof registers};
    return trace(PTRACE_GETREGSET, m_tid, asPointer(NT_PRSTATUS), &part) == 0 && part.iov_len == sizeof registers;
}

bool TracedThread::writeGeneral(const user_regs_struct &registers) const
{
    user_regs_struct copy = registers;
    iovec part{&copy, sizeof copy};
    return trace(PTRACE_SETREGSET, m_tid, asPointer(NT_PRSTATUS), &part) == 0;
}

bool TracedThread::read(ThreadRegisters &registers) const
{
    registers.extended.resize(kMostStateBytes);
    iovec part{registers.extended.data(), registers.extended.size()};
    if (trace(PTRACE_GETREGSET, m_tid, asPointer(NT_X86_XSTATE), &part) != 0)
        return false;
    registers.extended.resize(part.iov_len);
    return trace(PTRACE_GETSIGMASK, m_tid, asPointer(sizeof registers.signalMask), &registers.signalMask) == 0
        && readGeneral(registers.general);
}

bool TracedThread::restore(const ThreadRegisters &registers) const
{
    iovec part{const_cast<std::uint8_t *>(registers.extended.data()), registers.extended.size()};
    const bool isStateSet = trace(PTRACE_SETREGSET, m_tid, asPointer(NT_X86_XSTATE), &part) == 0;
    return isStateSet && setSignalMask(registers.signalMask) && writeGeneral(registers.general);
}

bool TracedThread::setSignalMask(std::uint64_t mask) const
{
    return trace(PTRACE_SETSIGMASK, m_tid, asPointer(sizeof mask), &mask) == 0;
}

} // namespace capture
