// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/thread_choice.h"

#include "capture/proc/proc_reader.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string>

namespace capture {

namespace {

/// Calls that a stop ends with EINTR, whatever a program's handlers say.
constexpr std::array<long, 7> kInterrupted{SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_semop, SYS_semtimedop,
    SYS_rt_sigtimedwait, SYS_io_getevents};

/// Calls that go on by themselves, but only if it is the kernel that begins them again.
constexpr std::array<long, 4> kLimited{SYS_nanosleep, SYS_clock_nanosleep, SYS_poll, SYS_restart_syscall};

enum class Patience : std::uint8_t { Waits, Runs, WaitsForTime, Unknown, SeesIt };

template <typename List> bool contains(const List &list, long number)
{
    return std::find(list.begin(), list.end(), number) != list.end();
}

Patience patienceOf(std::int32_t pid, std::int32_t tid)
{
    const auto text = readProcFile(fmt::format("/proc/{}/task/{}/syscall", pid, tid));
    if (!text || text->empty())
        return Patience::Unknown;
    if (text->starts_with("running"))
        return Patience::Runs;
    char *end = nullptr;
    const long number = std::strtol(text->c_str(), &end, 10);
    std::array<unsigned long, 4> arguments{};
    for (unsigned long &argument : arguments)
        argument = std::strtoul(end, &end, 16);
    if (number < 0)
        return Patience::Runs;
    if (contains(kInterrupted, number))
        return Patience::SeesIt;
    if (number == SYS_futex)
        return arguments[3] == 0 ? Patience::Waits : Patience::WaitsForTime;
    if (contains(kLimited, number))
        return Patience::WaitsForTime;
    constexpr std::array<long, 12> kPlain{SYS_read, SYS_readv, SYS_accept, SYS_accept4, SYS_wait4, SYS_waitid,
        SYS_select, SYS_pselect6, SYS_ppoll, SYS_pause, SYS_rt_sigsuspend, SYS_flock};
    return contains(kPlain, number) ? Patience::Waits : Patience::Unknown;
}

/// A traced thread is told of signals that nobody would notice without us: a child's end that the program has no handler for.
constexpr std::uint64_t kIgnoredByDefault = std::uint64_t{1} << (SIGCHLD - 1) | std::uint64_t{1} << (SIGURG - 1)
    | std::uint64_t{1} << (SIGWINCH - 1) | std::uint64_t{1} << (SIGCONT - 1);

/// Whether a signal waits that would have ended the thread's call without us.
bool hasPendingSignal(std::int32_t pid, std::int32_t tid)
{
    const auto status = readProcFile(fmt::format("/proc/{}/task/{}/status", pid, tid));
    std::uint64_t pending = 0, blocked = 0, ignored = 0, caught = 0;
    if (!status)
        return true;
    forEachField(*status, [&](std::string_view name, std::string_view rest) {
        std::uint64_t mask = 0;
        const std::size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
        std::from_chars(rest.data() + begin, rest.data() + rest.size(), mask, 16);
        if (name == "SigPnd" || name == "ShdPnd")
            pending |= mask;
        else if (name == "SigBlk")
            blocked = mask;
        else if (name == "SigIgn")
            ignored = mask;
        else if (name == "SigCgt")
            caught = mask;
    });
    return (pending & ~blocked & ~(ignored | (kIgnoredByDefault & ~caught))) != 0;
}

/// Whether the call, begun again, waits as it did: it has no time limit. Arguments are in their registers still.
bool isUnlimited(const user_regs_struct &r)
{
    switch (static_cast<long>(r.orig_rax)) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return static_cast<std::int32_t>(r.r10) < 0;
    case SYS_epoll_pwait2:
    case SYS_semtimedop:
        return r.r10 == 0;
    case SYS_rt_sigtimedwait:
        return r.rdx == 0;
    case SYS_io_getevents:
        return r.r8 == 0;
    default:
        return true;
    }
}

} // namespace

std::vector<std::int32_t> threadsByPatience(std::int32_t pid)
{
    auto tids = numberedEntries(fmt::format("/proc/{}/task", pid));
    if (!tids)
        return {};
    std::vector<std::pair<Patience, std::int32_t>> threads;
    for (const std::int32_t tid : *tids)
        threads.emplace_back(patienceOf(pid, tid), tid);
    std::sort(threads.begin(), threads.end());
    std::vector<std::int32_t> sorted;
    for (const auto &[patience, tid] : threads)
        sorted.push_back(tid);
    return sorted;
}

bool hideInterruption(user_regs_struct &registers, std::int32_t pid, std::int32_t tid)
{
    const auto number = static_cast<std::int64_t>(registers.orig_rax);
    if (static_cast<std::int64_t>(registers.rax) != -EINTR || number < 0 || !contains(kInterrupted, number))
        return false;
    if (!isUnlimited(registers) || hasPendingSignal(pid, tid))
        return true;
    registers.rip -= 2; // the syscall instruction
    registers.rax = registers.orig_rax;
    registers.orig_rax = static_cast<unsigned long long>(-1);
    return false;
}

} // namespace capture
