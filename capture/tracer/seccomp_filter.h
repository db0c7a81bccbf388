// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

struct sock_fprog;
struct seccomp_data;

namespace capture::tracer {

/// What a seccomp filter answers to a system call: a SECCOMP_RET_* action with its data, as the kernel would compute it (classic
/// BPF in the subset that seccomp(2) allows). A program that the kernel would have refused gives SECCOMP_RET_KILL_PROCESS.
std::uint32_t runSeccompFilter(const sock_fprog &filter, const seccomp_data &call);

} // namespace capture::tracer
