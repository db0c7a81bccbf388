// SPDX-License-Identifier: MIT
#include "capture/tracer/fork_handler.h"

#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"

#include <sys/mman.h>

namespace capture::tracer {

constinit std::uint32_t ForkFlag::s_page[kPageBytes / sizeof(std::uint32_t)] = {};
constinit std::uint32_t ForkFlag::s_raised = 0;

bool ForkFlag::raise()
{
    // Zeroed, so it is no part of the library's file, which the kernel would not wipe.
    if (!Restrictions::allow(Ask::Meet)
        || failed(rawSyscall(SYS_madvise, asLong(s_page), static_cast<long>(kPageBytes), MADV_WIPEONFORK)))
        return false;
    s_raised += s_raised == UINT32_MAX ? 2 : 1;
    __atomic_store_n(s_page, s_raised, __ATOMIC_RELAXED);
    return true;
}

} // namespace capture::tracer
