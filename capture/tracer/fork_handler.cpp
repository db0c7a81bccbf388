// SPDX-License-Identifier: MIT
#include "capture/tracer/fork_handler.h"

#include "capture/tracer/raw_syscall.h"

#include <sys/mman.h>

namespace capture::tracer {

std::uint32_t ForkFlag::s_never = 0;
std::uint32_t *ForkFlag::s_flag = &ForkFlag::s_never;

bool ForkFlag::raise()
{
    if (s_flag == &s_never) {
        constexpr std::size_t kPageBytes = 4096;
        void *page = mapPrivate(kPageBytes);
        if (page == nullptr)
            return false;
        if (failed(rawSyscall(SYS_madvise, asLong(page), kPageBytes, MADV_WIPEONFORK))) {
            rawSyscall(SYS_munmap, asLong(page), kPageBytes);
            return false;
        }
        s_flag = static_cast<std::uint32_t *>(page);
    }
    __atomic_store_n(s_flag, 1, __ATOMIC_RELAXED);
    return true;
}

} // namespace capture::tracer
