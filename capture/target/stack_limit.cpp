// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/stack_limit.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <cstddef>

namespace capture {

namespace {

constexpr rlim_t kUsualBytes = 8u << 20;
constexpr rlim_t kLeastBytes = 128u << 10; ///< with 100 KiB recordings were seen to end in the middle
constexpr std::size_t kThreadBytes = 2u << 20;

/// glibc gives threads as much as the limit was when the program began; libdw takes more than 80 KiB to read lines.
void makeRoomForThreads()
{
    pthread_attr_t attributes;
    if (::pthread_getattr_default_np(&attributes) != 0)
        return;
    std::size_t bytes = 0;
    if (::pthread_attr_getstacksize(&attributes, &bytes) == 0 && bytes < kThreadBytes
        && ::pthread_attr_setstacksize(&attributes, kThreadBytes) == 0)
        ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
}

} // namespace

model::Result<void> makeRoomForStacks()
{
    makeRoomForThreads();
    rlimit limit{};
    if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kUsualBytes)
        return {};
    if (limit.rlim_max < kUsualBytes) { // for root alone
        const rlimit raised{kUsualBytes, kUsualBytes};
        if (::setrlimit(RLIMIT_STACK, &raised) == 0)
            return {};
    }
    limit.rlim_cur = limit.rlim_max < kUsualBytes ? limit.rlim_max : kUsualBytes;
    ::setrlimit(RLIMIT_STACK, &limit);
    if (::getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < kLeastBytes)
        return model::Error(fmt::format(
            "The stack is limited to {} KiB (ulimit -s), of which genprof takes up to {}: raise the limit, and "
            "lower it in the command that is recorded (sh -c 'ulimit -s …; exec …')",
            limit.rlim_cur >> 10, kLeastBytes >> 10));
    return {};
}

} // namespace capture
