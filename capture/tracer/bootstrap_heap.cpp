// SPDX-License-Identifier: MIT
#include "capture/tracer/bootstrap_heap.h"

#include <atomic>
#include <cstdint>
#include <cstring>

namespace capture::tracer {

namespace {

std::atomic<std::size_t> g_used;

} // namespace

alignas(64) unsigned char BootstrapHeap::s_memory[kBytes];

void *BootstrapHeap::allocate(std::size_t bytes, std::size_t alignment)
{
    // The size stands in the word before the block.
    if (alignment < 16)
        alignment = 16;
    if (bytes > kBytes || alignment > kBytes)
        return nullptr;
    const std::size_t needed = bytes + alignment + sizeof(std::size_t);
    const std::size_t begin = g_used.fetch_add(needed, std::memory_order_relaxed);
    if (begin > kBytes || needed > kBytes - begin) {
        g_used.fetch_sub(needed, std::memory_order_relaxed);
        return nullptr;
    }
    auto address = reinterpret_cast<std::uintptr_t>(s_memory + begin + sizeof(std::size_t));
    address = (address + alignment - 1) & ~(alignment - 1);
    std::memcpy(reinterpret_cast<void *>(address - sizeof(std::size_t)), &bytes, sizeof bytes);
    return reinterpret_cast<void *>(address);
}

std::size_t BootstrapHeap::sizeOf(const void *pointer)
{
    std::size_t bytes;
    std::memcpy(&bytes, static_cast<const unsigned char *>(pointer) - sizeof bytes, sizeof bytes);
    return bytes;
}

} // namespace capture::tracer
