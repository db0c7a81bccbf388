// SPDX-License-Identifier: MIT
// jemalloc's own interface. These names are the tracer's in every process, so each still does something sensible where
// jemalloc is not there: a program may ask for them by weak reference.
#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/interpose.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

using namespace capture::tracer;

namespace {

/// What the flags ask for (jemalloc's manual page, MALLOCX_*), where no jemalloc is there.
struct Wish
{
    std::size_t alignment;
    bool isZero;

    explicit Wish(int flags)
        : alignment(std::size_t{1} << (flags & 0x3f))
        , isZero((flags & 0x40) != 0)
    {
    }
    void *allocate(std::size_t size) const
    {
        void *block = alignment > alignof(std::max_align_t) ? memalign(alignment, size) : malloc(size);
        if (block != nullptr && isZero)
            std::memset(block, 0, size);
        return block;
    }
};

} // namespace

void *mallocx(size_t size, int flags) noexcept
{
    if (!canForward() || g_next.mallocx == nullptr)
        return Wish(flags).allocate(size);
    return allocateBy(size, [=] { return g_next.mallocx(size, flags); });
}

void *rallocx(void *pointer, size_t size, int flags) noexcept
{
    if (!canForward() || g_next.rallocx == nullptr) {
        void *block = Wish(flags).allocate(size);
        if (block == nullptr)
            return nullptr;
        const std::size_t had = malloc_usable_size(pointer);
        std::memcpy(block, pointer, had < size ? had : size);
        free(pointer);
        return block;
    }
    return resizeBy(pointer, size, false, [=] { return g_next.rallocx(pointer, size, flags); });
}

size_t xallocx(void *pointer, size_t size, size_t extra, int flags) noexcept
{
    if (!canForward() || g_next.xallocx == nullptr)
        return malloc_usable_size(pointer);
    // Resizes in place: the result is what the block has room for now, less than `size` if it could not grow.
    std::size_t room = 0;
    resizeBy(pointer, size, false, [&] {
        room = g_next.xallocx(pointer, size, extra, flags);
        return room >= size ? pointer : nullptr;
    });
    return room;
}

void dallocx(void *pointer, int flags) noexcept
{
    if (!canForward() || g_next.dallocx == nullptr)
        return free(pointer);
    freeBy(pointer, [=] { g_next.dallocx(pointer, flags); });
}

void sdallocx(void *pointer, size_t size, int flags) noexcept
{
    if (!canForward() || g_next.sdallocx == nullptr)
        return free(pointer);
    freeBy(pointer, [=] { g_next.sdallocx(pointer, size, flags); });
}
