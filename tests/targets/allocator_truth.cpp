// SPDX-License-Identifier: GPL-3.0-or-later
// Allocates in all the ways of C++, and of the allocator that it is linked with: GENESIS_ALLOCATOR is 0 none, 1 jemalloc, 2 tcmalloc,
// 3 mimalloc. Prints "truth allocations N frees M live_bytes B", of what is allocated below workload().
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
void *mallocx(size_t size, int flags);
void *rallocx(void *pointer, size_t size, int flags);
void sdallocx(void *pointer, size_t size, int flags);
void *tc_malloc(size_t size);
void *tc_new(size_t size);
void *tc_newarray(size_t size);
void *tc_realloc(void *pointer, size_t size);
void tc_free(void *pointer);
void tc_delete(void *pointer);
void tc_deletearray(void *pointer);
int tc_posix_memalign(void **result, size_t alignment, size_t size);
void *mi_malloc(size_t size);
void *mi_zalloc(size_t size);
void *mi_new(size_t size);
void *mi_malloc_aligned(size_t size, size_t alignment);
void *mi_realloc(void *pointer, size_t size);
void mi_free(void *pointer);
char *mi_strdup(const char *text);
void *mi_heap_new();
void *mi_heap_malloc(void *heap, size_t size);
void mi_heap_destroy(void *heap);
}

namespace {

struct alignas(64) Wide
{
    char bytes[128];
};

long g_allocations = 0, g_frees = 0, g_live = 0;
void *volatile g_sink;

void *made(void *block, std::size_t bytes)
{
    g_sink = block;
    ++g_allocations;
    g_live += static_cast<long>(bytes);
    return block;
}

void gone(std::size_t bytes)
{
    ++g_frees;
    g_live -= static_cast<long>(bytes);
}

void operators()
{
    for (int i = 0; i < 100; ++i) {
        auto *a = static_cast<int *>(made(new int, sizeof(int)));
        auto *b = static_cast<char *>(made(new char[100], 100));
        auto *c = static_cast<Wide *>(made(new Wide, sizeof(Wide)));
        auto *d = static_cast<char *>(made(new (std::nothrow) char[50], 50));
        made(::operator new(30), 30);        // stays
        made(new Wide[2], 2 * sizeof(Wide)); // stays
        delete a;
        gone(sizeof(int));
        delete[] b;
        gone(100);
        delete c;
        gone(sizeof(Wide));
        ::operator delete[](d, std::nothrow);
        gone(50);
    }
#if GENESIS_ALLOCATOR != 3 // built from C, it ends the program rather than throw
    try {
        g_sink = ::operator new(static_cast<std::size_t>(-1) / 4);
    } catch (const std::bad_alloc &) {
        g_sink = made(new long, sizeof(long)); // the exception has left nothing behind
    }
#endif
}

void functions()
{
    for (int i = 0; i < 100; ++i) {
        void *a = made(std::malloc(10), 10);
        void *b = made(std::calloc(3, 7), 21);
        b = std::realloc(b, 40);
        gone(21);
        made(b, 40);
        std::free(a);
        gone(10);
    }
}

void ownInterface()
{
#if GENESIS_ALLOCATOR == 1
    for (int i = 0; i < 100; ++i) {
        void *a = made(mallocx(200, 0), 200);
        void *b = made(mallocx(300, 0), 300);
        b = rallocx(b, 500, 0);
        gone(300);
        made(b, 500);
        sdallocx(a, 200, 0);
        gone(200);
    }
#elif GENESIS_ALLOCATOR == 2
    for (int i = 0; i < 100; ++i) {
        void *a = made(tc_malloc(200), 200);
        void *b = made(tc_new(300), 300);
        void *c = made(tc_newarray(30), 30);
        void *d = nullptr;
        if (tc_posix_memalign(&d, 64, 70) == 0)
            made(d, 70); // stays
        a = tc_realloc(a, 500);
        gone(200);
        made(a, 500);
        tc_free(a);
        gone(500);
        tc_delete(b);
        gone(300);
        tc_deletearray(c);
        gone(30);
    }
#elif GENESIS_ALLOCATOR == 3
    void *heap = mi_heap_new();
    for (int i = 0; i < 100; ++i) {
        void *a = made(mi_malloc(200), 200);
        void *b = made(mi_new(300), 300);
        made(mi_zalloc(11), 11);             // stays
        made(mi_malloc_aligned(70, 64), 70); // stays
        made(mi_strdup("seven +"), 8);       // stays
        made(mi_heap_malloc(heap, 90), 90);  // until the heap goes
        a = mi_realloc(a, 500);
        gone(200);
        made(a, 500);
        mi_free(a);
        gone(500);
        mi_free(b);
        gone(300);
    }
    mi_heap_destroy(heap);
    for (int i = 0; i < 100; ++i)
        gone(90);
#endif
}

[[gnu::noinline]] void workload()
{
    operators();
    functions();
    ownInterface();
}

} // namespace

int main()
{
    workload();
    std::printf("truth allocations %ld frees %ld live_bytes %ld\n", g_allocations, g_frees, g_live);
    return 0;
}
