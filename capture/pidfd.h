// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace capture {

/// A descriptor that stands for the process with this pid now, and becomes readable when it ends; −1 and `errno` on failure.
/// glibc 2.36 declares pidfd_open without C linkage, earlier ones not at all, so these two go to the kernel directly.
inline int openPidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u)); }

/// Sends a signal to the very process that a pidfd stands for; 0, or −1 and `errno`.
inline int sendPidfdSignal(int pidfd, int signal)
{
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0u));
}

} // namespace capture
