// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <vector>

namespace capture {

/// The threads of a process in the order in which they are to be asked for a moment of their time: first those that wait in a system
/// call which goes on by itself after a stop, then those that run, last those that would see the call fail with EINTR.
/// Own threads of ours must not be among them. Reads /proc.
std::vector<std::int32_t> threadsByPatience(std::int32_t pid);

/// A stop makes a few system calls fail with EINTR without any signal (signal(7), "Interruption of system calls by stop
/// signals"). Begins such a call again in `registers`, where nothing is lost by that: it has no time limit that would start
/// anew, and no signal waits for the thread. Returns whether the thread will see an EINTR none the less.
bool hideInterruption(user_regs_struct &registers, std::int32_t pid, std::int32_t tid);

} // namespace capture
