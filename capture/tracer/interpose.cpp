// SPDX-License-Identifier: MIT
// The C library's allocation functions. Each passes the call on to the definition it stands in front of, and records
// what came of it: a block after it was made, its end before it is freed.
#include "capture/tracer/interpose.h"

#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/plain_event.h"
#include "capture/tracer/tracing.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

using namespace capture;
using namespace capture::tracer;

namespace {

constexpr std::size_t kPageBytes = 4096;

/// A block that the real allocator never saw moves to one that it knows.
void *moveFromBootstrap(void *old, std::size_t size)
{
    void *pointer = malloc(size);
    const std::size_t oldBytes = BootstrapHeap::sizeOf(old);
    if (pointer != nullptr)
        std::memcpy(pointer, old, oldBytes < size ? oldBytes : size);
    return pointer;
}

/// Sets errno as the function that is not there would have.
void *noMemory()
{
    errno = ENOMEM;
    return nullptr;
}

// What a hook does beyond the shortest way. Apart from the hook, which jumps there: it then needs no frame of its own, and theirs looks like
// the hook's.

[[gnu::noinline]] void *mallocUnrecorded(std::size_t size)
{
    if (isPassing())
        return g_next.malloc(size);
    if (!canForward())
        return BootstrapHeap::allocate(size);
    return mayRecord() ? malloc(size) : g_next.malloc(size);
}

[[gnu::noinline]] void *callocUnrecorded(std::size_t count, std::size_t size)
{
    if (isPassing())
        return g_next.calloc(count, size);
    std::size_t bytes;
    if (!canForward())
        return __builtin_mul_overflow(count, size, &bytes) ? noMemory() : BootstrapHeap::allocate(bytes);
    return mayRecord() ? calloc(count, size) : g_next.calloc(count, size);
}

[[gnu::noinline]] void *reallocUnrecorded(void *pointer, std::size_t size)
{
    if (pointer == nullptr)
        return malloc(size);
    if (BootstrapHeap::owns(pointer))
        return moveFromBootstrap(pointer, size);
    if (!canForward())
        return nullptr;
    return mayRecord() ? realloc(pointer, size) : g_next.realloc(pointer, size);
}

[[gnu::noinline]] void freeUnrecorded(void *pointer)
{
    if (pointer == nullptr || BootstrapHeap::owns(pointer) || !canForward())
        return;
    return mayRecord() ? free(pointer) : g_next.free(pointer);
}

[[gnu::noinline]] void *mallocSeen(std::size_t size)
{
    if (!mayRecord()) [[unlikely]]
        return mallocUnrecorded(size);
    return allocateRecorded(
        size, [=] { return g_next.malloc(size); }, AllocationInline());
}

[[gnu::noinline]] void *callocSeen(std::size_t count, std::size_t size)
{
    if (!mayRecord()) [[unlikely]]
        return callocUnrecorded(count, size);
    // Only a success is recorded, so the product did not overflow.
    return allocateRecorded(count * size, [=] { return g_next.calloc(count, size); });
}

[[gnu::noinline]] void *reallocSeen(void *pointer, std::size_t size)
{
    if (!mayRecord()) [[unlikely]]
        return reallocUnrecorded(pointer, size);
    if (pointer == nullptr)
        return mallocSeen(size);
    if (BootstrapHeap::owns(pointer))
        return moveFromBootstrap(pointer, size);
    return resizeRecorded(pointer, size, true, [=] { return g_next.realloc(pointer, size); });
}

[[gnu::noinline]] void freeSeen(void *pointer)
{
    if (!mayRecord()) [[unlikely]]
        return freeUnrecorded(pointer);
    freeRecorded(
        pointer, [=] { g_next.free(pointer); }, ReleaseInline());
}

/// Tells the recorder of the image even if it never allocates.
[[gnu::constructor]] void onLoad()
{
    const ReentrancyGuard guard;
    if (guard && canForward())
        g_tracing.isRecording();
}

} // namespace

void *malloc(size_t size) noexcept { return passesOver(size) ? g_next.malloc(size) : mallocSeen(size); }

void *calloc(size_t count, size_t size) noexcept
{
    std::size_t bytes;
    return !__builtin_mul_overflow(count, size, &bytes) && passesOver(bytes) ? g_next.calloc(count, size)
                                                                             : callocSeen(count, size);
}

void *realloc(void *pointer, size_t size) noexcept
{
    return passesResize(pointer, size) ? g_next.realloc(pointer, size) : reallocSeen(pointer, size);
}

void *reallocarray(void *pointer, size_t count, size_t size) noexcept
{
    std::size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return noMemory();
    return realloc(pointer, bytes);
}

void free(void *pointer) noexcept
{
    return passesFree(pointer, __builtin_return_address(0)) ? g_next.free(pointer) : freeSeen(pointer);
}

void cfree(void *pointer) noexcept
{
    freeBy(pointer, [=] { g_next.free(pointer); });
}

void free_sized(void *pointer, size_t size) noexcept
{
    freeBy(pointer, [=] {
        if (g_next.free_sized != nullptr)
            g_next.free_sized(pointer, size);
        else
            g_next.free(pointer);
    });
}

void free_aligned_sized(void *pointer, size_t alignment, size_t size) noexcept
{
    freeBy(pointer, [=] {
        if (g_next.free_aligned_sized != nullptr)
            g_next.free_aligned_sized(pointer, alignment, size);
        else
            g_next.free(pointer);
    });
}

void *memalign(size_t alignment, size_t size) noexcept
{
    if (!canForward())
        return BootstrapHeap::allocate(size, alignment);
    if (g_next.memalign == nullptr)
        return noMemory();
    return allocateBy(size, [=] { return g_next.memalign(alignment, size); });
}

void *aligned_alloc(size_t alignment, size_t size) noexcept
{
    if (!canForward())
        return BootstrapHeap::allocate(size, alignment);
    if (g_next.aligned_alloc == nullptr)
        return noMemory();
    return allocateBy(size, [=] { return g_next.aligned_alloc(alignment, size); });
}

int posix_memalign(void **result, size_t alignment, size_t size) noexcept
{
    if (!canForward()) {
        void *block = BootstrapHeap::allocate(size, alignment);
        if (block != nullptr)
            *result = block;
        return block != nullptr ? 0 : ENOMEM;
    }
    if (g_next.posix_memalign == nullptr)
        return ENOMEM;
    // On failure *result keeps its value (glibc's promise), so it must not be mistaken for a block.
    int error = 0;
    allocateBy(size, [&]() -> void * {
        error = g_next.posix_memalign(result, alignment, size);
        return error == 0 ? *result : nullptr;
    });
    return error;
}

void *valloc(size_t size) noexcept
{
    if (!canForward())
        return BootstrapHeap::allocate(size, kPageBytes);
    if (g_next.valloc == nullptr)
        return memalign(kPageBytes, size);
    return allocateBy(size, [=] { return g_next.valloc(size); });
}

void *pvalloc(size_t size) noexcept
{
    if (!canForward())
        return BootstrapHeap::allocate(size, kPageBytes);
    if (g_next.pvalloc == nullptr)
        return noMemory();
    return allocateBy(size, [=] { return g_next.pvalloc(size); });
}

size_t malloc_usable_size(void *pointer) noexcept
{
    if (pointer == nullptr)
        return 0;
    if (BootstrapHeap::owns(pointer))
        return BootstrapHeap::sizeOf(pointer);
    return canForward() && g_next.malloc_usable_size != nullptr ? g_next.malloc_usable_size(pointer) : 0;
}
