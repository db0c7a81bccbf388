// SPDX-License-Identifier: MIT
// The hooks of mmap, munmap, mremap, brk, sbrk and mlockall: who asks the kernel for memory past the allocator. What the allocator asks for itself is
// its own affair: the blocks it gives out are counted. Without <sys/mman.h>, which gives mmap another name.
#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/tracing.h"

#include <linux/mman.h>

#include <cerrno>
#include <cstdint>

using namespace capture;
using namespace capture::tracer;

namespace {

using wire::RecordType;

constexpr std::uint64_t kPageMask = 4095;
constexpr int kNoAccess = 0; // PROT_NONE

void *asPointer(std::uint64_t address) { return reinterpret_cast<void *>(address); }
const void *failedMapping() { return asPointer(~std::uint64_t{0}); }

/// The kernel's answer as libc gives it.
void *resultOf(long answer)
{
    if (!failed(answer))
        return reinterpret_cast<void *>(answer);
    errno = static_cast<int>(-answer);
    return asPointer(~std::uint64_t{0});
}

std::uint64_t flagsOf(int flags, int protection)
{
    const bool isShared = (flags & MAP_TYPE) != MAP_PRIVATE;
    return ((flags & MAP_ANONYMOUS) != 0 ? wire::kMapAnonymous : 0) | (isShared ? wire::kMapShared : 0)
        | (protection == kNoAccess ? wire::kMapReserved : 0);
}

/// Calls the kernel through `call` and records what was mapped. In the hook itself, as allocateBy().
template <typename Call> [[gnu::always_inline]] inline void *mapBy(std::size_t length, std::uint64_t flags, Call call)
{
    if (isPassing())
        return call();
    const ReentrancyGuard guard;
    void *result = call();
    if (guard && result != failedMapping() && !isAllocatorCode(__builtin_return_address(0)))
        recordAllocation(RecordType::Map, asPointer(asNumber(result) | flags), length, callerFrame());
    return result;
}

/// What the program break did: `before` and `after` it.
[[gnu::always_inline]] inline void breakMoved(std::uint64_t before, std::uint64_t after)
{
    if (after > before)
        recordAllocation(RecordType::Map, asPointer((before & ~kPageMask) | wire::kMapAnonymous | wire::kMapBreak),
            after - (before & ~kPageMask), callerFrame());
    else if (after < before)
        recordPlain(RecordType::Unmap, (after + kPageMask) & ~kPageMask, before - after, 0);
}

std::uint64_t currentBreak() { return static_cast<std::uint64_t>(rawSyscall(SYS_brk, 0)); }

} // namespace

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, long offset) noexcept
{
    return mapBy(length, flagsOf(flags, protection), [=] {
        return canForward() && g_next.mmap != nullptr
            ? g_next.mmap(address, length, protection, flags, descriptor, offset)
            : resultOf(rawSyscall(
                SYS_mmap, asLong(address), static_cast<long>(length), protection, flags, descriptor, offset));
    });
}

void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, long offset) noexcept
{
    return mapBy(length, flagsOf(flags, protection), [=] {
        return canForward() && g_next.mmap64 != nullptr
            ? g_next.mmap64(address, length, protection, flags, descriptor, offset)
            : resultOf(rawSyscall(
                SYS_mmap, asLong(address), static_cast<long>(length), protection, flags, descriptor, offset));
    });
}

int mlockall(int flags) noexcept
{
    const auto call = [=] {
        return canForward() && g_next.mlockall != nullptr
            ? g_next.mlockall(flags)
            : (resultOf(rawSyscall(SYS_mlockall, flags)) == nullptr ? 0 : -1);
    };
    const int result = call();
    // The shared memory counts against what may be locked (RLIMIT_MEMLOCK), whether or not there is anything in it.
    if (result == 0 || errno != ENOMEM || !mayRecord() || !g_tracing.giveWay(wire::Retreat::MemoryLocked))
        return result;
    return call();
}

int munmap(void *address, size_t length) noexcept
{
    if (isPassing() && g_next.munmap != nullptr)
        return g_next.munmap(address, length);
    const ReentrancyGuard guard;
    // The kernel refuses anything else, and takes hardly anything but a full table for a reason to refuse this.
    const bool isValid = (asNumber(address) & kPageMask) == 0 && length != 0;
    if (guard && isValid && !isAllocatorCode(__builtin_return_address(0)))
        recordPlain(RecordType::Unmap, asNumber(address), length, 0);
    if (canForward() && g_next.munmap != nullptr)
        return g_next.munmap(address, length);
    return resultOf(rawSyscall(SYS_munmap, asLong(address), static_cast<long>(length))) == nullptr ? 0 : -1;
}

void *mremap(void *old, size_t oldLength, size_t newLength, int flags, void *wanted) noexcept
{
    const auto call = [=] {
        return canForward() && g_next.mremap != nullptr
            ? g_next.mremap(old, oldLength, newLength, flags, wanted)
            : resultOf(rawSyscall(SYS_mremap, asLong(old), static_cast<long>(oldLength), static_cast<long>(newLength),
                flags, asLong(wanted)));
    };
    if (isPassing())
        return call();
    const ReentrancyGuard guard;
    if (!guard || (asNumber(old) & kPageMask) != 0 || isAllocatorCode(__builtin_return_address(0)))
        return call();
    // Before, as with munmap: its place may be somebody else's a moment later. Of length 0: a second view, the first stays.
    if (oldLength != 0)
        recordPlain(RecordType::Unmap, asNumber(old) | wire::kMapMoved, oldLength, 0);
    void *result = call();
    const bool hasMoved = result != failedMapping();
    const std::uint64_t place = asNumber(hasMoved ? result : old);
    if (hasMoved || oldLength != 0)
        recordAllocation(RecordType::Map, asPointer(place | (oldLength != 0 ? wire::kMapMoved : wire::kMapShared)),
            hasMoved ? newLength : oldLength, callerFrame());
    return result;
}

int brk(void *end) noexcept
{
    if (isPassing() && g_next.brk != nullptr)
        return g_next.brk(end);
    const ReentrancyGuard guard;
    const bool isRecorded = guard && !isAllocatorCode(__builtin_return_address(0));
    const std::uint64_t before = isRecorded ? currentBreak() : 0;
    int result = 0;
    if (canForward() && g_next.brk != nullptr) {
        result = g_next.brk(end);
    } else if (static_cast<std::uint64_t>(rawSyscall(SYS_brk, asLong(end))) < asNumber(end)) {
        errno = ENOMEM;
        result = -1;
    }
    if (isRecorded)
        breakMoved(before, currentBreak());
    return result;
}

void *sbrk(long increment) noexcept
{
    if (isPassing() && g_next.sbrk != nullptr)
        return g_next.sbrk(increment);
    const ReentrancyGuard guard;
    if (!canForward() || g_next.sbrk == nullptr) {
        errno = ENOMEM;
        return asPointer(~std::uint64_t{0});
    }
    const bool isRecorded = guard && increment != 0 && !isAllocatorCode(__builtin_return_address(0));
    const std::uint64_t before = isRecorded ? currentBreak() : 0;
    void *result = g_next.sbrk(increment);
    if (isRecorded)
        breakMoved(before, currentBreak());
    return result;
}
