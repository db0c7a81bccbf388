// SPDX-License-Identifier: MIT
#pragma once

#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

#if !defined(__x86_64__)
#error "capture/tracer knows the system calls of x86-64 only"
#endif

/// A system call without libc: no errno is touched, no cancellation point, no hook of anybody's. Returns the kernel's
/// value: negative errno values in [-4095, -1] mean failure.
inline long rawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0)
{
    long result;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

template <typename T> inline long asLong(T *pointer)
{
    return static_cast<long>(reinterpret_cast<std::intptr_t>(pointer));
}

inline bool failed(long result) { return result < 0 && result >= -4095; }

/// The memory that mapPrivate() gave out, and this library's own zeroed variables, as far as there is room; each entry is complete once its
/// `bytes` are not 0.
struct PrivateMemory
{
    static constexpr std::uint32_t kMost = 2048 + 256;
    struct Range
    {
        std::uint64_t begin;
        std::uint64_t bytes;
    };
    std::uint32_t count; ///< may be more than kMost
    Range ranges[kMost];
};
extern PrivateMemory g_privateMemory;

/// Enters this library's zeroed variables, once.
void notePrivateVariables();

/// Private zeroed memory, named in /proc/PID/maps where the kernel can; null if there is none.
void *mapPrivate(std::size_t bytes);

/// Sleeps about `milliseconds`, or until a signal arrives.
void sleepMs(unsigned milliseconds);

/// Milliseconds of CLOCK_MONOTONIC, for time limits.
std::uint64_t monotonicMs();

} // namespace capture::tracer
