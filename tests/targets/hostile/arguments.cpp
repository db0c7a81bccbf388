// SPDX-License-Identifier: GPL-3.0-or-later
// Every allocation function with the arguments that its manual page says something special about.
#include "tests/targets/hostile/cases.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <new>

using namespace hostile;

namespace {

constexpr std::size_t kHuge = SIZE_MAX / 2 + 1;
volatile std::size_t g_zero = 0;
volatile std::size_t g_huge = kHuge;

/// What came of a call: null or not, aligned as asked, errno.
void tell(const char *call, const void *result, std::size_t alignment = 1)
{
    const int error = errno;
    std::printf("%s: %s%s errno %d\n", call, result != nullptr ? "block" : "null",
        reinterpret_cast<std::uintptr_t>(result) % alignment == 0 ? "" : " not aligned", error);
    errno = 0;
}

int sizes()
{
    errno = 0;
    void *zero = std::malloc(g_zero);
    tell("malloc(0)", zero);
    tell("malloc(huge)", std::malloc(g_huge));
    tell("malloc(PTRDIFF_MAX)", std::malloc(g_huge - 1));
    tell("calloc(0, 5)", std::calloc(g_zero, 5));
    tell("calloc(overflow)", std::calloc(g_huge, 2));
    tell("calloc(huge)", std::calloc(g_huge - 1, 1));
    std::free(zero);
    std::free(nullptr);
    tell("free", nullptr);
    char *cleared = static_cast<char *>(std::calloc(1000, 1000));
    int bytes = 0;
    for (int i = 0; i < 1'000'000; ++i)
        bytes += cleared[i];
    tell("calloc", cleared);
    std::printf("cleared %d\n", bytes);
    std::free(cleared);
    return 0;
}

int reallocs()
{
    errno = 0;
    void *block = std::realloc(nullptr, 10);
    tell("realloc(null, 10)", block);
    std::memcpy(block, "123456789", 10);
    block = std::realloc(block, 100'000);
    tell("realloc(grow)", block);
    std::printf("kept %d\n", std::memcmp(block, "123456789", 10));
    tell("realloc(huge)", std::realloc(block, g_huge));
    std::printf("kept %d\n", std::memcmp(block, "123456789", 10));
    tell("reallocarray(overflow)", reallocarray(block, g_huge, 4));
    block = reallocarray(block, 10, 50'000'000); // a mapping of its own, which mremap grows
    tell("reallocarray(500 MB)", block);
    std::printf("kept %d\n", std::memcmp(block, "123456789", 10));
    block = std::realloc(block, 20);
    tell("realloc(shrink)", block);
    std::printf("kept %d\n", std::memcmp(block, "123456789", 10));
    void *nothing = std::realloc(block, g_zero);
    tell("realloc(0)", nothing);
    std::free(nothing);
    return 0;
}

int alignments()
{
    errno = 0;
    for (const std::size_t alignment : {16ul, 64ul, 4096ul, 1ul << 21})
        for (const std::size_t size : {1ul, 100ul, 100'000ul}) {
            void *blocks[4] = {aligned_alloc(alignment, size), memalign(alignment, size)};
            const int error = posix_memalign(&blocks[2], alignment, size);
            blocks[3] = ::operator new(size, std::align_val_t(alignment));
            std::printf("%zu %zu: posix %d\n", alignment, size, error);
            for (int i = 0; i < 4; ++i)
                tell("aligned", blocks[i], alignment);
            for (int i = 0; i < 3; ++i)
                std::free(blocks[i]);
            ::operator delete(blocks[3], std::align_val_t(alignment));
        }
    tell("aligned_alloc(3)", aligned_alloc(g_zero + 3, 10));
    tell("aligned_alloc(0)", aligned_alloc(g_zero, 10));
    tell("aligned_alloc(huge)", aligned_alloc(g_huge, 10));
    tell("aligned_alloc(size huge)", aligned_alloc(64, g_huge));
    tell("memalign(3)", memalign(g_zero + 3, 10), 4);
    tell("memalign(huge)", memalign(g_huge, 10));
    void *kept = &kept;
    for (const std::size_t alignment : {g_zero + 0, g_zero + 4, g_zero + 24}) {
        const int result = posix_memalign(&kept, alignment, 10);
        std::printf("posix_memalign(%zu): %d kept %d\n", alignment, result, kept == &kept);
    }
    std::printf("posix_memalign(size huge): %d kept %d\n", posix_memalign(&kept, 64, g_huge), kept == &kept);
    tell("valloc", valloc(10), 4096);
    void *pages = pvalloc(10);
    tell("pvalloc", pages, 4096);
    std::printf("pvalloc holds a page: %d\n", malloc_usable_size(pages) >= 4096);
    tell("pvalloc(huge)", pvalloc(g_huge));
    return 0;
}

int usableSizes()
{
    std::printf("of null %zu\n", malloc_usable_size(nullptr));
    int bad = 0;
    for (std::size_t size = 0; size < 3000; ++size) {
        auto *block = static_cast<unsigned char *>(std::malloc(size));
        const std::size_t usable = malloc_usable_size(block);
        bad += usable < size;
        std::memset(block, 0x5a, usable); // all of it may be used
        std::free(block);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

int errnoStays()
{
    int changed = 0;
    const auto check = [&] { changed += errno == 1234 ? 0 : 1; };
    for (int i = 1; i < 5000; ++i) {
        errno = 1234;
        void *block = std::malloc(static_cast<std::size_t>(i * 37 % 300'000));
        check();
        block = std::realloc(block, static_cast<std::size_t>(i * 91 % 300'000 + 1));
        check();
        std::free(block);
        check();
        void *area = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        check();
        munmap(area, 4096);
        check();
        void *aligned = nullptr;
        static_cast<void>(posix_memalign(&aligned, 64, 100));
        check();
        std::free(aligned);
        check();
        free(calloc(3, 5));
        check();
    }
    std::printf("changed %d\n", changed);
    return 0;
}

int newFails()
{
    int caught = 0, handled = 0;
    static int *counter = &handled;
    try {
        g_sink = ::operator new(g_huge);
    } catch (const std::bad_alloc &) {
        ++caught;
    }
    std::set_new_handler([] {
        if (++*counter == 3)
            throw std::bad_alloc();
    });
    try {
        g_sink = ::operator new(g_huge);
    } catch (const std::bad_alloc &) {
        ++caught;
    }
    std::set_new_handler(nullptr);
    std::printf("caught %d handled %d nothrow %d\n", caught, handled, ::operator new(g_huge, std::nothrow) == nullptr);
    return 0;
}

int mappings()
{
    errno = 0;
    tell("mmap(0)", mmap(nullptr, g_zero, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    tell("mmap(bad descriptor)", mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
    std::printf("munmap(0): %d errno %d\n", munmap(nullptr, g_zero), errno);
    char *area = static_cast<char *>(
        mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    area[5000] = 7;
    munmap(area, 4096);
    munmap(area + (1 << 19), 4096);
    auto *moved = static_cast<char *>(mremap(area + 4096, 8192, 1 << 21, MREMAP_MAYMOVE));
    std::printf("moved %d\n", moved[5000 - 4096]);
    char *fixed = static_cast<char *>(
        mmap(moved, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    std::printf("fixed %d\n", fixed == moved && *fixed == 0);
    auto *before = static_cast<char *>(sbrk(0));
    g_sink = sbrk(1 << 16);
    std::printf("break %d\n", static_cast<char *>(sbrk(0)) - before == 1 << 16);
    std::printf("brk %d\n", brk(before) == 0 && sbrk(0) == before);
    churn(1000);
    return malloc_trim(0) >= 0 ? 0 : 1;
}

constexpr Case kCases[] = {
    {"sizes", sizes},
    {"reallocs", reallocs},
    {"alignments", alignments},
    {"usable-sizes", usableSizes},
    {"errno-stays", errnoStays},
    {"new-fails", newFails},
    {"mappings", mappings},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
