// SPDX-License-Identifier: MIT
#include "capture/tracer/restrictions.h"

#include "capture/tracer/own_variables.h"
#include "capture/tracer/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace capture::tracer {

constinit std::atomic<std::uint32_t> Restrictions::s_installing = 0;
constinit std::atomic<std::uint32_t> Restrictions::s_forbidden = 0;

namespace {

constexpr std::uint32_t kAll = 131071;
constexpr std::uint64_t kPrivate = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
constexpr std::uint64_t kAnyNumber = 4711;

/// A system call as the tracer makes it; arguments that are not constants are such as filters do not ask for.
struct Call
{
    Ask ask;
    int number;
    std::uint64_t arguments[6];
};
constexpr Call kCalls[] = {
    {Ask::Meet, SYS_getpid, {}},
    {Ask::Meet, SYS_getppid, {}},
    {Ask::Meet, SYS_prlimit64, {0, 9, 0, kAnyNumber}},
    {Ask::Meet, SYS_socket, {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0}},
    {Ask::Meet, SYS_setsockopt, {kAnyNumber, SOL_SOCKET, SO_RCVTIMEO, kAnyNumber, 16}},
    {Ask::Meet, SYS_connect, {kAnyNumber, kAnyNumber, 40}},
    {Ask::Meet, SYS_sendto, {kAnyNumber, kAnyNumber, 56, MSG_NOSIGNAL, 0, 0}},
    {Ask::Meet, SYS_recvmsg, {kAnyNumber, kAnyNumber, MSG_CMSG_CLOEXEC}},
    {Ask::Meet, SYS_close, {kAnyNumber}},
    {Ask::Meet, SYS_mmap, {0, 1 << 27, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, kAnyNumber, 0}},
    {Ask::Meet, SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, kPrivate, ~std::uint64_t{0}, 0}},
    {Ask::Meet, SYS_mmap, {kAnyNumber, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, kAnyNumber, 0}},
    {Ask::Meet, SYS_mmap, {kAnyNumber, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~std::uint64_t{0}, 0}},
    {Ask::Meet, SYS_mmap,
        {kAnyNumber, 1 << 27, PROT_READ | PROT_WRITE, kPrivate | MAP_FIXED_NOREPLACE, ~std::uint64_t{0}, 0}},
    {Ask::Meet, SYS_munmap, {kAnyNumber, 1 << 27}},
    {Ask::Meet, SYS_madvise, {kAnyNumber, 1 << 27, MADV_DONTFORK}},
    {Ask::Meet, SYS_madvise, {kAnyNumber, 4096, MADV_WIPEONFORK}},
    {Ask::Identify, SYS_gettid, {}},
    {Ask::Identify, SYS_getpid, {}},
    {Ask::Name, SYS_prctl, {PR_GET_NAME, kAnyNumber}},
#if defined(PR_SET_VMA) && defined(PR_SET_VMA_ANON_NAME)
    {Ask::Name, SYS_prctl, {PR_SET_VMA, PR_SET_VMA_ANON_NAME, kAnyNumber, 4096, kAnyNumber}},
#endif
    {Ask::Map, SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, kPrivate, ~std::uint64_t{0}, 0}},
    {Ask::Map, SYS_munmap, {kAnyNumber, 4096}},
    {Ask::Map, SYS_madvise, {kAnyNumber, 4096, MADV_DONTNEED}},
    {Ask::Probe, SYS_rt_sigprocmask, {~std::uint64_t{0}, kAnyNumber, 0, 8}},
    {Ask::Wake, SYS_futex, {kAnyNumber, FUTEX_WAKE, 0x7fffffff}},
    {Ask::Wake, SYS_futex, {kAnyNumber, FUTEX_WAIT, 0, kAnyNumber}},
    {Ask::Sleep, SYS_nanosleep, {kAnyNumber, 0}},
    {Ask::FindRecorder, SYS_kill, {kAnyNumber, 0}},
    {Ask::FindRecorder, SYS_process_vm_readv, {kAnyNumber, kAnyNumber, 1, kAnyNumber, 1, 0}},
    {Ask::Look, SYS_access, {kAnyNumber, 4}},
    {Ask::ReadCode, SYS_getpid, {}},
    {Ask::ReadCode, SYS_process_vm_readv, {kAnyNumber, kAnyNumber, 1, kAnyNumber, 1, 0}},
    {Ask::FindStack, SYS_gettid, {}},
    {Ask::FindStack, SYS_sigaltstack, {0, kAnyNumber}},
    {Ask::Compare, SYS_kcmp, {kAnyNumber, kAnyNumber, KCMP_VM, 0, 0}},
    {Ask::Leave, SYS_getpid, {}},
    {Ask::Leave, SYS_nanosleep, {kAnyNumber, 0}},
    {Ask::Leave, SYS_membarrier, {MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0}},
    {Ask::Leave, SYS_membarrier, {MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0}},
    {Ask::Leave, SYS_futex, {kAnyNumber, FUTEX_WAIT_PRIVATE, 0, kAnyNumber}},
    {Ask::Leave, SYS_tgkill, {kAnyNumber, kAnyNumber, 0}},
    {Ask::Leave, SYS_tkill, {kAnyNumber, 0}},
    {Ask::Leave, SYS_munmap, {kAnyNumber, 1 << 27}},
    {Ask::Leave, SYS_mmap,
        {kAnyNumber, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~std::uint64_t{0}, 0}},
    {Ask::Protect, SYS_getpid, {}},
    {Ask::Protect, SYS_mprotect, {kAnyNumber, 4096, PROT_READ | PROT_WRITE}},
    {Ask::Protect, SYS_mprotect, {kAnyNumber, 4096, PROT_READ}},
    {Ask::ProtectCode, SYS_mprotect, {kAnyNumber, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
    {Ask::ProtectCode, SYS_mprotect, {kAnyNumber, 4096, PROT_READ | PROT_EXEC}},
    {Ask::Clock, SYS_clock_gettime, {1, kAnyNumber}},
};

/// Only what passes as if there were no filter; an error in its place might be taken for something else.
bool passes(const sock_fprog &filter, const Call &call)
{
    seccomp_data data{};
    data.nr = call.number;
    data.arch = AUDIT_ARCH_X86_64;
    data.instruction_pointer = reinterpret_cast<std::uint64_t>(&passes);
    for (int i = 0; i < 6; ++i)
        data.args[i] = call.arguments[i];
    const std::uint32_t action = runSeccompFilter(filter, data) & SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

} // namespace

void Restrictions::inherit() { s_forbidden.fetch_or(OwnVariables::restrictions() & kAll, std::memory_order_acq_rel); }

void Restrictions::forbid(std::uint32_t asks)
{
    OwnVariables::setRestrictions(s_forbidden.fetch_or(asks, std::memory_order_acq_rel) | asks);
}

void Restrictions::addAll() { forbid(kAll); }

void Restrictions::add(Ask ask) { forbid(static_cast<std::uint32_t>(ask)); }

void Restrictions::add(const sock_fprog &filter)
{
    std::uint32_t forbidden = 0;
    for (const Call &call : kCalls)
        if (!passes(filter, call))
            forbidden |= static_cast<std::uint32_t>(call.ask);
    forbid(forbidden);
}

} // namespace capture::tracer
