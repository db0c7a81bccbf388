// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace capture::tracer {

/// Memory for calls that come before the real allocator can be found (an IFUNC resolver, a loader in mid-relocation).
/// Fixed size, never reused: what lies in it is never handed to the real allocator. Any thread.
class [[gnu::visibility("hidden")]] BootstrapHeap
{
public:
    /// Zeroed memory, or null when the fixed space is used up. `alignment` must be a power of two.
    static void *allocate(std::size_t bytes, std::size_t alignment = 16);
    static bool owns(const void *pointer)
    {
        return static_cast<std::size_t>(static_cast<const unsigned char *>(pointer) - s_memory) < kBytes;
    }
    /// The size that was asked for at allocate().
    static std::size_t sizeOf(const void *pointer);

private:
    static constexpr std::size_t kBytes = 64 * 1024;
    alignas(64) static unsigned char s_memory[kBytes];
};

} // namespace capture::tracer
