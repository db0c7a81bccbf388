// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/wait_reasons.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

namespace capture {

namespace {

using model::WaitClass;

constexpr std::size_t kMostMeanings = 100'000;
// Of Linux 5.14 to 6.7; older headers do not have them.
constexpr std::uint64_t kFutexLockPi2 = 13;
constexpr std::uint32_t kQuotactlFd = 443, kFutexWaitv = 449, kFutexWait = 455;

constexpr std::array kEventCalls = std::to_array<std::uint32_t>({SYS_epoll_wait, SYS_epoll_pwait, 441, SYS_poll,
    SYS_ppoll, SYS_select, SYS_pselect6, SYS_accept, SYS_accept4, SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_pause,
    SYS_io_getevents, 333, 426, SYS_msgrcv, SYS_mq_timedreceive});
constexpr std::array kMemoryCalls = std::to_array<std::uint32_t>({SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect,
    SYS_brk, SYS_madvise, SYS_mlock, SYS_munlock, SYS_mlockall, SYS_msync, SYS_mincore});
constexpr std::array kIoCalls = std::to_array<std::uint32_t>({SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv,
    SYS_writev, SYS_preadv, SYS_pwritev, 327, 328, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg,
    SYS_recvmmsg, SYS_connect, SYS_open, SYS_openat, 437, SYS_close, SYS_creat, SYS_stat, SYS_lstat, SYS_fstat,
    SYS_newfstatat, 332, SYS_access, SYS_faccessat, SYS_getdents, SYS_getdents64, SYS_unlink, SYS_unlinkat, SYS_rename,
    SYS_renameat, 316, SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_link, SYS_symlink, SYS_readlink, SYS_readlinkat,
    SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range,
    SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice, 326, SYS_ioctl, SYS_execve, SYS_lseek, SYS_chmod, SYS_chown,
    SYS_statfs, SYS_fstatfs, SYS_io_submit, SYS_readahead, SYS_shutdown, kQuotactlFd});

template <typename Calls> bool contains(const Calls &calls, std::uint32_t call)
{
    return std::find(calls.begin(), calls.end(), call) != calls.end();
}

WaitClass futexClass(std::uint64_t operation)
{
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: // glibc's mutexes; its condition variables, semaphores and joins wait with a bit set
    case FUTEX_LOCK_PI:
    case kFutexLockPi2:
        return WaitClass::Lock;
    default:
        return WaitClass::Condition;
    }
}

} // namespace

WaitClass waitClassOf(std::uint32_t call, std::uint64_t secondArgument)
{
    if (call == SYS_futex)
        return futexClass(secondArgument);
    if (call == SYS_nanosleep || call == SYS_clock_nanosleep)
        return WaitClass::Sleep;
    if (call == SYS_wait4 || call == SYS_waitid || call == SYS_vfork || call == SYS_clone || call == 435)
        return WaitClass::Child; // vfork waits for its child's exec
    if (call == SYS_flock || call == SYS_fcntl)
        return WaitClass::Lock;
    if (call == SYS_semop || call == SYS_semtimedop || call == kFutexWaitv || call == kFutexWait)
        return WaitClass::Condition;
    if (contains(kEventCalls, call))
        return WaitClass::Events;
    if (contains(kMemoryCalls, call))
        return WaitClass::Memory;
    return contains(kIoCalls, call) ? WaitClass::Io : WaitClass::Other;
}

namespace {

/// The kernel's entry of a call often jumps on to a function that does the work, which then stands alone on the stack.
struct Worker
{
    std::string_view function, call;
};
constexpr std::array kWorkers = std::to_array<Worker>({{"do_epoll_wait", "epoll_wait"}, {"do_sys_poll", "poll"},
    {"core_sys_select", "select"}, {"kern_select", "select"}, {"do_pselect", "pselect6"}, {"do_futex", "futex"},
    {"__futex_wait", "futex"}, {"futex_wait", "futex"}, {"kernel_wait4", "wait4"}, {"do_wait", "wait4"},
    {"kernel_waitid", "waitid"}, {"hrtimer_nanosleep", "clock_nanosleep"}, {"common_nsleep", "clock_nanosleep"},
    {"do_readv", "readv"}, {"do_writev", "writev"}, {"do_preadv", "preadv"}, {"do_pwritev", "pwritev"},
    {"do_fsync", "fsync"}, {"do_sys_openat2", "openat"}, {"vfs_fstatat", "newfstatat"}, {"do_statx", "statx"},
    {"do_faccessat", "faccessat"}, {"do_unlinkat", "unlink"}, {"do_renameat2", "rename"}, {"do_mkdirat", "mkdir"},
    {"ksys_mmap_pgoff", "mmap"}, {"vm_mmap_pgoff", "mmap"}, {"__vm_munmap", "munmap"}, {"do_mprotect_pkey", "mprotect"},
    {"do_madvise", "madvise"}, {"kernel_clone", "clone"}, {"do_sigtimedwait", "rt_sigtimedwait"},
    {"sigsuspend", "rt_sigsuspend"}, {"do_sendfile", "sendfile"}});

std::optional<std::uint32_t> callOf(std::string_view function)
{
    for (const std::string_view prefix : {"__x64_sys_", "__do_sys_", "__se_sys_", "ksys_", "__sys_"})
        if (function.starts_with(prefix))
            if (const auto number = model::systemCallNumber(function.substr(prefix.size())))
                return number;
    const auto *const worker = std::find_if(
        kWorkers.begin(), kWorkers.end(), [function](const Worker &each) { return each.function == function; });
    return worker == kWorkers.end() ? std::nullopt : model::systemCallNumber(worker->call);
}

} // namespace

const WaitReasons::Meaning &WaitReasons::meaningOf(std::uint64_t pc)
{
    if (m_meanings.size() > kMostMeanings)
        m_meanings.clear();
    const auto [it, isNew] = m_meanings.try_emplace(pc);
    if (!isNew)
        return it->second;
    const std::string_view name = m_functionAt(pc - 1);
    it->second.call = callOf(name);
    it->second.isPageFault = name == "exc_page_fault" || name == "asm_exc_page_fault" || name == "do_user_addr_fault";
    return it->second;
}

WaitReason WaitReasons::of(
    std::span<const std::uint64_t> kernelChain, std::uint64_t secondArgument, std::optional<std::uint32_t> openCall)
{
    WaitReason reason{.call = openCall};
    for (const std::uint64_t pc : kernelChain) {
        const Meaning &meaning = meaningOf(pc);
        if (meaning.call) {
            reason.call = meaning.call;
            break;
        }
        reason.isPageFault = reason.isPageFault || meaning.isPageFault;
    }
    if (reason.call) {
        reason.isPageFault = false; // of a buffer: what is waited for is the call
        reason.waitClass = waitClassOf(*reason.call, secondArgument);
    } else if (reason.isPageFault) {
        reason.waitClass = WaitClass::Memory;
    }
    return reason;
}

} // namespace capture
