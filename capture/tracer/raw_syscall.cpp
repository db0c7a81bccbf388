// SPDX-License-Identifier: MIT
#include "capture/tracer/raw_syscall.h"

#include "capture/tracer/restrictions.h"

#include <linux/prctl.h>
#include <sys/mman.h>
#include <time.h>

namespace capture::tracer {

// Where the linker puts what is zero at first, and its end.
extern "C" char __bss_start[] __attribute__((visibility("hidden"))); // NOLINT(bugprone-reserved-identifier)
extern "C" char _end[] __attribute__((visibility("hidden")));        // NOLINT(bugprone-reserved-identifier)

PrivateMemory g_privateMemory;

namespace {

void addRange(std::uint64_t begin, std::uint64_t bytes)
{
    const std::uint32_t number = __atomic_fetch_add(&g_privateMemory.count, 1, __ATOMIC_RELAXED);
    if (number < PrivateMemory::kMost) {
        g_privateMemory.ranges[number].begin = begin;
        __atomic_store_n(&g_privateMemory.ranges[number].bytes, bytes, __ATOMIC_RELEASE);
    }
}

} // namespace

void notePrivateVariables()
{
    static constinit std::uint32_t s_isNoted = 0;
    if (__atomic_exchange_n(&s_isNoted, 1, __ATOMIC_RELAXED) != 0)
        return;
    // Whole pages: the first one is the library's file.
    constexpr std::uint64_t kPageMask = 4095;
    const std::uint64_t begin = (reinterpret_cast<std::uint64_t>(__bss_start) + kPageMask) & ~kPageMask;
    const std::uint64_t end = (reinterpret_cast<std::uint64_t>(_end) + kPageMask) & ~kPageMask;
    if (begin < end)
        addRange(begin, end - begin);
}

void *mapPrivate(std::size_t bytes)
{
    if (!Restrictions::allow(Ask::Map))
        return nullptr;
    const long result = rawSyscall(SYS_mmap, 0, static_cast<long>(bytes), PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(result))
        return nullptr;
#if defined(PR_SET_VMA) && defined(PR_SET_VMA_ANON_NAME)
    // Lets "RSS explained" name what is ours; kernels without it say EINVAL, and nothing is lost.
    if (Restrictions::allow(Ask::Name))
        rawSyscall(
            SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, result, static_cast<long>(bytes), asLong("genesis-tracer"));
#endif
    addRange(static_cast<std::uint64_t>(result), bytes);
    return reinterpret_cast<void *>(result);
}

void sleepMs(unsigned milliseconds)
{
    const timespec wait{static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000) * 1'000'000};
    rawSyscall(SYS_nanosleep, asLong(&wait), 0);
}

std::uint64_t monotonicMs()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now); // no system call where the time stamp counter is the clock
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

} // namespace capture::tracer
