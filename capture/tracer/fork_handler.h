// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// Tells a forked child from its parent at the price of one load: a flag in a page of this library that the kernel wipes in the child
/// (MADV_WIPEONFORK). No pthread_atfork, which clone() does not call, and no getpid(), which is a system call. A vfork
/// or posix_spawn child shares the page, and so records as its parent, whose heap it uses.
class [[gnu::visibility("hidden")]] ForkFlag
{
public:
    /// True in the process that called raise(), until lower(); false in its forked children.
    static bool isRaised() { return value() != 0; }
    /// What raise() made of it: another value each time. 0: it is not raised.
    static std::uint32_t value() { return __atomic_load_n(s_page, __ATOMIC_RELAXED); }
    /// False if the kernel does not wipe the page on fork (before 4.14, or forbidden): then nothing may be recorded.
    static bool raise();
    static void lower() { __atomic_store_n(s_page, 0, __ATOMIC_RELAXED); }

private:
    static constexpr std::size_t kPageBytes = 4096;
    alignas(kPageBytes) static std::uint32_t s_page[kPageBytes / sizeof(std::uint32_t)];
    static std::uint32_t s_raised; ///< how often, in this process and those it was forked from
};

} // namespace capture::tracer
