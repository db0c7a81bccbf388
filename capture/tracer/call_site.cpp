// SPDX-License-Identifier: MIT
#include "capture/tracer/call_site.h"

#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/unwind/call_bytes.h"

#include <sys/uio.h>

#include <algorithm>

namespace capture::tracer {

constinit UncoveredCode g_uncoveredCode;

bool followsCall(std::uint64_t address)
{
    std::uint8_t code[8];
    if (address < sizeof(code) || !Restrictions::allow(Ask::ReadCode))
        return false;
    iovec to{code, sizeof(code)}, from{reinterpret_cast<void *>(address - sizeof(code)), sizeof(code)};
    return rawSyscall(SYS_process_vm_readv, rawSyscall(SYS_getpid), asLong(&to), 1, asLong(&from), 1, 0)
        == long{sizeof(code)}
    && unwind::endsWithCall(code);
}

bool UncoveredCode::holds(std::uint64_t returnAddress, unwind::Lead lead)
{
    if (lead == unwind::Lead::Break || returnAddress >> 47 != 0)
        return false;
    std::uint64_t range = m_range.load(std::memory_order_relaxed);
    const std::uint64_t granule = returnAddress / kGranuleBytes, first = range >> 32, last = range & 0xffffffff;
    constexpr std::uint64_t kNear = kNearBytes / kGranuleBytes, kMost = kMostBytes / kGranuleBytes;
    if (!followsCall(returnAddress))
        return range != 0 && granule + kNear >= first && granule <= last + kNear;
    const std::uint64_t lowest = range == 0 ? granule : std::min(first, granule), highest = std::max(last, granule);
    // Of threads that do this at once one may be forgotten: it is met again.
    if (lead == unwind::Lead::Rule && highest - lowest <= kMost && (lowest != first || highest != last))
        m_range.compare_exchange_strong(range, lowest << 32 | highest, std::memory_order_relaxed);
    return true;
}

} // namespace capture::tracer
