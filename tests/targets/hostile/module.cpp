// SPDX-License-Identifier: GPL-3.0-or-later
// A library for `loading`: allocates when it comes, when it is asked, and when it goes.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

std::string g_text(500, 'm');
thread_local int t_calls[300]; ///< dynamic TLS, which the loader allocates at the first use

[[gnu::constructor]] void comes() { std::free(std::malloc(300)); }
[[gnu::destructor]] void goes() { std::free(std::malloc(400)); }

} // namespace

extern "C" __attribute__((visibility("default"))) void *moduleAllocate(std::size_t bytes)
{
    t_calls[bytes % 300]++;
    void *block = std::malloc(bytes);
    if (block != nullptr)
        *static_cast<char *>(block) = g_text[bytes % 500];
    return block;
}

/// By the function that is next to this library, as wrappers find it.
extern "C" __attribute__((visibility("default"))) void *moduleNext(std::size_t bytes)
{
    const auto next = reinterpret_cast<void *(*)(std::size_t)>(dlsym(RTLD_NEXT, "malloc"));
    void *volatile block = next(bytes);
    return block;
}

extern "C" __attribute__((visibility("default"))) void moduleFree(void *block) { std::free(block); }

extern "C" __attribute__((visibility("default"))) int moduleCatches(int depth)
{
    try {
        if (depth == 0)
            throw std::runtime_error(g_text);
        return moduleCatches(depth - 1) + 1;
    } catch (const std::runtime_error &error) {
        return error.what()[0] == 'm' ? 0 : 1000;
    }
}
