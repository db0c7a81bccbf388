// SPDX-License-Identifier: MIT
#include "capture/tracer/call_site.h"

#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"

#include <sys/uio.h>

namespace capture::tracer {

constinit UncoveredCode g_uncoveredCode;

bool endsWithCall(const std::uint8_t (&code)[8])
{
    const std::uint8_t *const end = code + sizeof(code);
    if (end[-5] == 0xe8)
        return true;
    constexpr unsigned kCallByOperand = 2; // of the operations that begin with 0xff
    for (int length = 2; length <= 7; ++length) {
        const unsigned operand = end[1 - length], mode = operand >> 6, base = operand & 7;
        if (end[-length] != 0xff || (operand >> 3 & 7) != kCallByOperand)
            continue;
        const bool hasIndex = mode != 3 && base == 4;
        const bool isAbsolute = mode == 0 && (base == 5 || (hasIndex && length > 2 && (end[2 - length] & 7) == 5));
        const int displacement = mode == 1 ? 1 : mode == 2 || isAbsolute ? 4 : 0;
        if (length == 2 + hasIndex + displacement)
            return true;
    }
    return false;
}

bool followsCall(std::uint64_t address)
{
    std::uint8_t code[8];
    if (address < sizeof(code) || !Restrictions::allow(Ask::ReadCode))
        return false;
    iovec to{code, sizeof(code)}, from{reinterpret_cast<void *>(address - sizeof(code)), sizeof(code)};
    return rawSyscall(SYS_process_vm_readv, rawSyscall(SYS_getpid), asLong(&to), 1, asLong(&from), 1, 0)
        == long{sizeof(code)}
    && endsWithCall(code);
}

bool UncoveredCode::holds(std::uint64_t returnAddress)
{
    const std::uint64_t first = m_first.load(std::memory_order_relaxed), last = m_last.load(std::memory_order_relaxed);
    if (!followsCall(returnAddress))
        return first != 0 && returnAddress + kNearBytes >= first && returnAddress <= last + kNearBytes;
    // Of threads that do this at once one may be forgotten: it is met again.
    const std::uint64_t lowest = first == 0 || returnAddress < first ? returnAddress : first;
    const std::uint64_t highest = returnAddress > last ? returnAddress : last;
    if (highest - lowest <= kMostBytes) {
        m_last.store(highest, std::memory_order_relaxed);
        m_first.store(lowest, std::memory_order_relaxed);
    }
    return true;
}

} // namespace capture::tracer
