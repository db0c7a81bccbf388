// SPDX-License-Identifier: MIT
#include "capture/tracer/stack_memory.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"

#include <cerrno>

namespace capture::tracer {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kPageMask = ~(kPageBytes - 1);
/// Farther than this below the stack's end, a stack pointer is taken to be on another stack.
constexpr std::uint64_t kMostStackBytes = std::uint64_t{64} << 20;

/// Whether the page can be read, guard pages included in "no". The kernel copies the signal set before it looks at the
/// impossible `how`: EFAULT if it could not, EINVAL if it could. No descriptor, no right, no side effect.
bool isReadable(std::uint64_t page)
{
    constexpr long kNoSuchHow = -1;
    return Restrictions::allow(Ask::Probe)
        && rawSyscall(SYS_rt_sigprocmask, kNoSuchHow, static_cast<long>(page), 0, 8) == -EINVAL;
}

std::uint64_t threadPointer()
{
    std::uint64_t value;
    asm("movq %%fs:0, %0" : "=r"(value));
    return value;
}

} // namespace

void KnownStack::reset(std::uint64_t sp)
{
    // glibc puts a thread's TCB at the top of its stack, above every frame, also on stacks that the program gave it.
    // Not by thread id: the only thread of a forked child may be on any thread's stack.
    std::uint64_t end = reinterpret_cast<std::uint64_t>(initialStack());
    isProcessStack = end >= sp && end - sp <= kMostStackBytes;
    if (!isProcessStack)
        end = threadPointer();
    foreignEnd = 0;
    low = high = end < kPageBytes ? kPageBytes : end & ~std::uint64_t{7};
}

bool KnownStack::extendDownTo(std::uint64_t sp)
{
    const std::uint64_t wanted = sp & kPageMask;
    if (sp < foreignEnd || low - wanted > kMostStackBytes)
        return false;
    for (std::uint64_t page = (low - 1) & kPageMask; page >= wanted; page -= kPageBytes)
        if (!isReadable(page))
            return false;
    low = wanted < foreignEnd ? foreignEnd : wanted; // which may lie within a page
    return true;
}

bool StackMemory::readElsewhere(std::uint64_t address, std::uint64_t &value) const
{
    if ((address & 7) != 0)
        return false;
    const std::uint64_t page = address & kPageMask;
    if (page != m_readablePage) {
        if (page == 0 || m_questionsLeft == 0)
            return false;
        --m_questionsLeft;
        if (!isReadable(page))
            return false;
        m_readablePage = page;
    }
    value = *reinterpret_cast<const std::uint64_t *>(address);
    return true;
}

} // namespace capture::tracer
