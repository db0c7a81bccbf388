// SPDX-License-Identifier: MIT
#include "capture/tracer/shared_head.h"

#include "capture/tracer/raw_syscall.h"

#include <sys/mman.h>

namespace capture::tracer {

constinit unsigned char SharedHead::s_pages[kHeaderBytes + kCounterBytes] = {};

bool SharedHead::show(int descriptor)
{
    const auto showAt = [=](unsigned char *place, std::size_t bytes, std::uint64_t offset) {
        return !failed(rawSyscall(SYS_mmap, asLong(place), static_cast<long>(bytes), PROT_READ, MAP_SHARED | MAP_FIXED,
            descriptor, static_cast<long>(offset)));
    };
    if (showAt(s_pages, kHeaderBytes, 0) && showAt(s_pages + kHeaderBytes, kCounterBytes, wire::kSampledOffset))
        return true;
    clear();
    return false;
}

void SharedHead::clear()
{
    rawSyscall(SYS_mmap, asLong(s_pages), sizeof s_pages, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

} // namespace capture::tracer
