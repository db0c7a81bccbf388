// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// Tells a forked child from its parent at the price of one load: a flag in a page that the kernel wipes in the child
/// (MADV_WIPEONFORK). No pthread_atfork, which clone() does not call, and no getpid(), which is a system call. A vfork
/// or posix_spawn child shares the page, and so records as its parent, whose heap it uses.
class ForkFlag
{
public:
    /// True in the process that called raise(), until lower(); false in its forked children.
    static bool isRaised() { return __atomic_load_n(s_flag, __ATOMIC_RELAXED) != 0; }
    /// False if the kernel cannot wipe pages on fork (before 4.14) or has no memory: then nothing may be recorded.
    static bool raise();
    static void lower() { __atomic_store_n(s_flag, 0, __ATOMIC_RELAXED); }

private:
    static std::uint32_t s_never;
    static std::uint32_t *s_flag;
};

} // namespace capture::tracer
