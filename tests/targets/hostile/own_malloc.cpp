// SPDX-License-Identifier: GPL-3.0-or-later
// A program that brings an allocator of its own, which is all there is: what libc and libstdc++ allocate comes from it too.
#include "tests/targets/hostile/cases.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBytes = 64 << 20;
alignas(64) char g_area[kBytes];
std::atomic<std::size_t> g_used = 0;
std::atomic<int> g_calls = 0;

struct Header
{
    std::size_t bytes;
    std::size_t magic;
};
constexpr std::size_t kMagic = 0x6d61676963;

void *take(std::size_t bytes, std::size_t alignment)
{
    ++g_calls;
    const std::size_t whole = bytes + sizeof(Header) + alignment;
    const std::size_t at = g_used.fetch_add((whole + 15) & ~std::size_t{15});
    if (bytes > kBytes || at + whole > kBytes) {
        errno = ENOMEM;
        return nullptr;
    }
    auto place = reinterpret_cast<std::uintptr_t>(g_area + at + sizeof(Header));
    place = (place + alignment - 1) & ~(alignment - 1);
    auto *header = reinterpret_cast<Header *>(place) - 1;
    *header = {bytes, kMagic};
    return reinterpret_cast<void *>(place);
}

} // namespace

extern "C" {
void *malloc(std::size_t bytes) { return take(bytes, 16); }
void *calloc(std::size_t count, std::size_t bytes) { return take(count * bytes, 16); } // never used before, so zero
void *aligned_alloc(std::size_t alignment, std::size_t bytes) { return take(bytes, alignment); }
void *memalign(std::size_t alignment, std::size_t bytes) { return take(bytes, alignment); }
int posix_memalign(void **result, std::size_t alignment, std::size_t bytes)
{
    *result = take(bytes, alignment);
    return *result != nullptr ? 0 : ENOMEM;
}
void free(void *block)
{
    if (block != nullptr && (static_cast<Header *>(block) - 1)->magic != kMagic)
        _exit(96); // a stranger's
}
void *realloc(void *block, std::size_t bytes)
{
    void *larger = take(bytes, 16);
    if (block != nullptr && larger != nullptr) {
        const std::size_t old = (static_cast<Header *>(block) - 1)->bytes;
        std::memcpy(larger, block, old < bytes ? old : bytes);
    }
    return larger;
}
}

using namespace hostile;

namespace {

int works()
{
    int bad = churn(1000);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([] { churn(2000); });
    for (std::thread &thread : threads)
        thread.join();
    std::string text(1000, 'x');
    for (int i = 0; i < 5; ++i)
        text += text;
    std::printf("bad %d, bytes %zu, called %d\n", bad, text.size(), g_calls > 9000);
    return 0;
}

constexpr Case kCases[] = {{"works", works, Traced::No}};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
