// SPDX-License-Identifier: MIT
// jemalloc's own interface. These names are the tracer's in every process, so each still does something sensible where
// jemalloc is not there: a program may ask for them by weak reference.
#include "capture/tracer/interpose.h"

#define HOOK(result, name, parameters) GENESIS_EXPORT result name parameters noexcept;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK

using namespace capture::tracer;

void *mallocx(size_t size, int flags) noexcept
{
    if (!canForward() || g_next.mallocx == nullptr)
        return malloc(size);
    return allocateBy(size, [=] { return g_next.mallocx(size, flags); });
}

void *rallocx(void *pointer, size_t size, int flags) noexcept
{
    if (!canForward() || g_next.rallocx == nullptr)
        return realloc(pointer, size);
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
