// SPDX-License-Identifier: MIT
// What allocators offer beside the C functions: C++ operators, tcmalloc's tc_*, mimalloc's mi_*. Each in front of the function of the same
// name; where nothing serves it (a weak reference found us) it does what malloc does.
#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/interpose.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

using namespace capture::tracer;

namespace {

const char g_tag = 0; // stands for std::nothrow

/// Whether the operators are recorded; else they call malloc themselves, and are counted there.
bool hasOwnOperators() { return canForward() && g_allocator.hasOwnOperators; }

/// Whether calls of a family's function have only to be passed on: it is not what serves malloc, or it calls itself.
#define PASSES_ON(name)                                                                                                \
    (!(isOfMimalloc(#name) ? g_allocator.isMimalloc : g_allocator.isTcmalloc)                                          \
        || isAllocatorCode(__builtin_return_address(0)) /* what it needs for itself, and gives back past us */)

// What stands in for operators new that nobody else has.
void *allocate(std::size_t size, const void *) { return malloc(size != 0 ? size : 1); }
void *allocate(std::size_t size, std::size_t alignment, const void *)
{
    return memalign(alignment, size != 0 ? size : 1);
}
void *allocateOrEnd(std::size_t size, std::size_t alignment = alignof(std::max_align_t))
{
    void *block = allocate(size, alignment, nullptr);
    if (block == nullptr)
        __builtin_trap(); // nobody is there to throw std::bad_alloc
    return block;
}

/// A product that is too large is as large as can be, so that nobody has it either.
std::size_t product(std::size_t count, std::size_t size)
{
    std::size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

} // namespace

// An exception may not pass a hook that holds the guard, so what throws is called only after its silent sister found no memory.
#define OPERATOR_NEW(name, parameters, arguments, sister)                                                              \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!hasOwnOperators())                                                                                        \
            return g_next.name != nullptr ? g_next.name arguments : allocateOrEnd arguments;                           \
        void *block = allocateBy(size, [=]() -> void * { return g_next.sister; });                                     \
        return block != nullptr ? block : g_next.name arguments;                                                       \
    }
#define OPERATOR_NEW_NOTHROW(name, parameters, arguments)                                                              \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!hasOwnOperators())                                                                                        \
            return g_next.name != nullptr ? g_next.name arguments : allocate arguments;                                \
        return allocateBy(size, [=] { return g_next.name arguments; });                                                \
    }
#define OPERATOR_DELETE(name, parameters, arguments)                                                                   \
    void name parameters noexcept                                                                                      \
    {                                                                                                                  \
        if (g_next.name == nullptr)                                                                                    \
            return free(pointer);                                                                                      \
        if (!hasOwnOperators())                                                                                        \
            return g_next.name arguments;                                                                              \
        freeBy(pointer, [=] { g_next.name arguments; });                                                               \
    }
#define ALLOCATES(name, parameters, arguments, bytes, otherwise)                                                       \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return otherwise;                                                                                          \
        if (PASSES_ON(name))                                                                                           \
            return g_next.name arguments;                                                                              \
        return allocateBy(bytes, [=] { return g_next.name arguments; });                                               \
    }
#define ALLOCATES_OR_THROWS(name, parameters, arguments, bytes, sister)                                                \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return allocateOrEnd(bytes);                                                                               \
        if (PASSES_ON(name))                                                                                           \
            return g_next.name arguments;                                                                              \
        void *block = allocateBy(bytes, [=] { return g_next.sister; });                                                \
        return block != nullptr ? block : g_next.name arguments;                                                       \
    }
#define RESIZES(name, parameters, arguments, bytes)                                                                    \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return realloc(pointer, bytes);                                                                            \
        if (PASSES_ON(name))                                                                                           \
            return g_next.name arguments;                                                                              \
        if (pointer == nullptr)                                                                                        \
            return allocateBy(bytes, [=] { return g_next.name arguments; });                                           \
        return resizeBy(pointer, bytes, true, [=] { return g_next.name arguments; });                                  \
    }
#define RESIZES_OR_FREES(name, parameters, arguments, bytes)                                                           \
    void *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr || pointer == nullptr)                                             \
            return realloc(pointer, bytes);                                                                            \
        if (isPassing() || PASSES_ON(name))                                                                            \
            return g_next.name arguments;                                                                              \
        const ReentrancyGuard guard;                                                                                   \
        if (!guard)                                                                                                    \
            countReentered(__builtin_return_address(0));                                                               \
        const bool hasBegun = guard && recordRelease(capture::wire::RecordType::ReallocBegin, pointer);                \
        void *block = g_next.name arguments;                                                                           \
        if (guard && block != nullptr)                                                                                 \
            recordAllocation(hasBegun ? capture::wire::RecordType::ReallocEnd : capture::wire::RecordType::Malloc,     \
                block, bytes, capture::tracer::callerFrame());                                                         \
        else if (hasBegun)                                                                                             \
            recordReallocFreed();                                                                                      \
        return block;                                                                                                  \
    }
#define FREES(name, parameters, arguments)                                                                             \
    void name parameters noexcept                                                                                      \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return free(pointer);                                                                                      \
        if (PASSES_ON(name))                                                                                           \
            return g_next.name arguments;                                                                              \
        freeBy(pointer, [=] { g_next.name arguments; });                                                               \
    }
/// A copy of a text, of whatever length it comes to.
#define COPIES(name, parameters, arguments, isNew)                                                                     \
    char *name parameters noexcept                                                                                     \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return nullptr;                                                                                            \
        if (isPassing() || PASSES_ON(name))                                                                            \
            return g_next.name arguments;                                                                              \
        const ReentrancyGuard guard;                                                                                   \
        char *copy = g_next.name arguments;                                                                            \
        if (guard && copy != nullptr && (isNew))                                                                       \
            recordAllocation(                                                                                          \
                capture::wire::RecordType::Malloc, copy, std::strlen(copy) + 1, capture::tracer::callerFrame());       \
        return copy;                                                                                                   \
    }
#define ALLOCATES_INTO(name)                                                                                           \
    int name(void **result, size_t alignment, size_t size) noexcept                                                    \
    {                                                                                                                  \
        if (!canForward() || g_next.name == nullptr)                                                                   \
            return posix_memalign(result, alignment, size);                                                            \
        if (PASSES_ON(name))                                                                                           \
            return g_next.name(result, alignment, size);                                                               \
        int error = 0;                                                                                                 \
        allocateBy(size, [&]() -> void * {                                                                             \
            error = g_next.name(result, alignment, size);                                                              \
            return error == 0 ? *result : nullptr;                                                                     \
        });                                                                                                            \
        return error;                                                                                                  \
    }

// clang-format off: one a line
OPERATOR_NEW(_Znwm, (size_t size), (size), _ZnwmRKSt9nothrow_t(size, &g_tag))
OPERATOR_NEW(_Znam, (size_t size), (size), _ZnamRKSt9nothrow_t(size, &g_tag))
OPERATOR_NEW_NOTHROW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
OPERATOR_NEW_NOTHROW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
OPERATOR_NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment),
    _ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, &g_tag))
OPERATOR_NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment),
    _ZnamSt11align_val_tRKSt9nothrow_t(size, alignment, &g_tag))
OPERATOR_NEW_NOTHROW(
    _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag), (size, alignment, tag))
OPERATOR_NEW_NOTHROW(
    _ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag), (size, alignment, tag))
OPERATOR_DELETE(_ZdlPv, (void *pointer), (pointer))
OPERATOR_DELETE(_ZdlPvm, (void *pointer, size_t size), (pointer, size))
OPERATOR_DELETE(_ZdlPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
OPERATOR_DELETE(_ZdlPvSt11align_val_t, (void *pointer, size_t alignment), (pointer, alignment))
OPERATOR_DELETE(_ZdlPvmSt11align_val_t, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment))
OPERATOR_DELETE(
    _ZdlPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t alignment, const void *tag), (pointer, alignment, tag))
OPERATOR_DELETE(_ZdaPv, (void *pointer), (pointer))
OPERATOR_DELETE(_ZdaPvm, (void *pointer, size_t size), (pointer, size))
OPERATOR_DELETE(_ZdaPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag))
OPERATOR_DELETE(_ZdaPvSt11align_val_t, (void *pointer, size_t alignment), (pointer, alignment))
OPERATOR_DELETE(_ZdaPvmSt11align_val_t, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment))
OPERATOR_DELETE(
    _ZdaPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t alignment, const void *tag), (pointer, alignment, tag))

ALLOCATES(tc_malloc, (size_t size), (size), size, malloc(size))
ALLOCATES(tc_malloc_skip_new_handler, (size_t size), (size), size, malloc(size))
ALLOCATES(tc_calloc, (size_t count, size_t size), (count, size), product(count, size), calloc(1, product(count, size)))
RESIZES(tc_realloc, (void *pointer, size_t size), (pointer, size), size)
FREES(tc_free, (void *pointer), (pointer))
FREES(tc_cfree, (void *pointer), (pointer))
FREES(tc_free_sized, (void *pointer, size_t size), (pointer, size))
ALLOCATES(tc_memalign, (size_t alignment, size_t size), (alignment, size), size, memalign(alignment, size))
ALLOCATES(tc_valloc, (size_t size), (size), size, malloc(size))
ALLOCATES(tc_pvalloc, (size_t size), (size), size, malloc(size))
ALLOCATES(tc_new_nothrow, (size_t size, const void *tag), (size, tag), size, malloc(size))
ALLOCATES_OR_THROWS(tc_new, (size_t size), (size), size, tc_new_nothrow(size, &g_tag))
ALLOCATES(tc_new_aligned_nothrow, (size_t size, size_t alignment, const void *tag), (size, alignment, tag), size,
    memalign(alignment, size))
ALLOCATES_OR_THROWS(tc_new_aligned, (size_t size, size_t alignment), (size, alignment), size,
    tc_new_aligned_nothrow(size, alignment, &g_tag))
FREES(tc_delete, (void *pointer), (pointer))
FREES(tc_delete_nothrow, (void *pointer, const void *tag), (pointer, tag))
FREES(tc_delete_sized, (void *pointer, size_t size), (pointer, size))
FREES(tc_delete_aligned, (void *pointer, size_t alignment), (pointer, alignment))
FREES(tc_delete_sized_aligned, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment))
FREES(tc_delete_aligned_nothrow, (void *pointer, size_t alignment, const void *tag), (pointer, alignment, tag))
ALLOCATES(tc_newarray_nothrow, (size_t size, const void *tag), (size, tag), size, malloc(size))
ALLOCATES_OR_THROWS(tc_newarray, (size_t size), (size), size, tc_newarray_nothrow(size, &g_tag))
ALLOCATES(tc_newarray_aligned_nothrow, (size_t size, size_t alignment, const void *tag), (size, alignment, tag), size,
    memalign(alignment, size))
ALLOCATES_OR_THROWS(tc_newarray_aligned, (size_t size, size_t alignment), (size, alignment), size,
    tc_newarray_aligned_nothrow(size, alignment, &g_tag))
FREES(tc_deletearray, (void *pointer), (pointer))
FREES(tc_deletearray_nothrow, (void *pointer, const void *tag), (pointer, tag))
FREES(tc_deletearray_sized, (void *pointer, size_t size), (pointer, size))
FREES(tc_deletearray_aligned, (void *pointer, size_t alignment), (pointer, alignment))
FREES(tc_deletearray_sized_aligned, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment))
FREES(tc_deletearray_aligned_nothrow, (void *pointer, size_t alignment, const void *tag), (pointer, alignment, tag))
ALLOCATES(mi_malloc, (size_t size), (size), size, malloc(size))
ALLOCATES(mi_zalloc, (size_t size), (size), size, calloc(1, size))
ALLOCATES(mi_malloc_small, (size_t size), (size), size, malloc(size))
ALLOCATES(mi_calloc, (size_t count, size_t size), (count, size), product(count, size), calloc(1, product(count, size)))
ALLOCATES(mi_mallocn, (size_t count, size_t size), (count, size), product(count, size), malloc(product(count, size)))
RESIZES(mi_realloc, (void *pointer, size_t size), (pointer, size), size)
RESIZES(mi_rezalloc, (void *pointer, size_t size), (pointer, size), size)
RESIZES_OR_FREES(mi_reallocf, (void *pointer, size_t size), (pointer, size), size)
RESIZES(mi_reallocn, (void *pointer, size_t count, size_t size), (pointer, count, size), product(count, size))
RESIZES(mi_recalloc, (void *pointer, size_t count, size_t size), (pointer, count, size), product(count, size))
COPIES(mi_strdup, (const char *text), (text), true)
COPIES(mi_strndup, (const char *text, size_t most), (text, most), true)
ALLOCATES(mi_malloc_aligned, (size_t size, size_t alignment), (size, alignment), size, memalign(alignment, size))
ALLOCATES(mi_malloc_aligned_at, (size_t size, size_t alignment, size_t offset), (size, alignment, offset), size,
    memalign(alignment, size))
ALLOCATES(mi_zalloc_aligned, (size_t size, size_t alignment), (size, alignment), size, memalign(alignment, size))
ALLOCATES(mi_zalloc_aligned_at, (size_t size, size_t alignment, size_t offset), (size, alignment, offset), size,
    memalign(alignment, size))
ALLOCATES(mi_calloc_aligned, (size_t count, size_t size, size_t alignment), (count, size, alignment),
    product(count, size), memalign(alignment, product(count, size)))
ALLOCATES(mi_calloc_aligned_at, (size_t count, size_t size, size_t alignment, size_t offset),
    (count, size, alignment, offset), product(count, size), memalign(alignment, product(count, size)))
RESIZES(mi_realloc_aligned, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment), size)
RESIZES(mi_realloc_aligned_at, (void *pointer, size_t size, size_t alignment, size_t offset),
    (pointer, size, alignment, offset), size)
RESIZES(mi_rezalloc_aligned, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment), size)
RESIZES(mi_rezalloc_aligned_at, (void *pointer, size_t size, size_t alignment, size_t offset),
    (pointer, size, alignment, offset), size)
RESIZES(mi_recalloc_aligned, (void *pointer, size_t count, size_t size, size_t alignment),
    (pointer, count, size, alignment), product(count, size))
RESIZES(mi_recalloc_aligned_at, (void *pointer, size_t count, size_t size, size_t alignment, size_t offset),
    (pointer, count, size, alignment, offset), product(count, size))
ALLOCATES(mi_heap_malloc, (void *heap, size_t size), (heap, size), size, malloc(size))
ALLOCATES(mi_heap_zalloc, (void *heap, size_t size), (heap, size), size, calloc(1, size))
ALLOCATES(mi_heap_malloc_small, (void *heap, size_t size), (heap, size), size, malloc(size))
ALLOCATES(mi_heap_calloc, (void *heap, size_t count, size_t size), (heap, count, size), product(count, size),
    calloc(1, product(count, size)))
ALLOCATES(mi_heap_mallocn, (void *heap, size_t count, size_t size), (heap, count, size), product(count, size),
    malloc(product(count, size)))
RESIZES(mi_heap_realloc, (void *heap, void *pointer, size_t size), (heap, pointer, size), size)
RESIZES(mi_heap_rezalloc, (void *heap, void *pointer, size_t size), (heap, pointer, size), size)
RESIZES_OR_FREES(mi_heap_reallocf, (void *heap, void *pointer, size_t size), (heap, pointer, size), size)
RESIZES(mi_heap_reallocn, (void *heap, void *pointer, size_t count, size_t size), (heap, pointer, count, size),
    product(count, size))
RESIZES(mi_heap_recalloc, (void *heap, void *pointer, size_t count, size_t size), (heap, pointer, count, size),
    product(count, size))
COPIES(mi_realpath, (const char *path, char *resolved), (path, resolved), resolved == nullptr)
COPIES(mi_heap_realpath, (void *heap, const char *path, char *resolved), (heap, path, resolved), resolved == nullptr)
COPIES(mi_heap_strdup, (void *heap, const char *text), (heap, text), true)
COPIES(mi_heap_strndup, (void *heap, const char *text, size_t most), (heap, text, most), true)
ALLOCATES(mi_heap_malloc_aligned, (void *heap, size_t size, size_t alignment), (heap, size, alignment), size,
    memalign(alignment, size))
ALLOCATES(mi_heap_malloc_aligned_at, (void *heap, size_t size, size_t alignment, size_t offset),
    (heap, size, alignment, offset), size, memalign(alignment, size))
ALLOCATES(mi_heap_zalloc_aligned, (void *heap, size_t size, size_t alignment), (heap, size, alignment), size,
    memalign(alignment, size))
ALLOCATES(mi_heap_zalloc_aligned_at, (void *heap, size_t size, size_t alignment, size_t offset),
    (heap, size, alignment, offset), size, memalign(alignment, size))
ALLOCATES(mi_heap_calloc_aligned, (void *heap, size_t count, size_t size, size_t alignment),
    (heap, count, size, alignment), product(count, size), memalign(alignment, product(count, size)))
ALLOCATES(mi_heap_calloc_aligned_at, (void *heap, size_t count, size_t size, size_t alignment, size_t offset),
    (heap, count, size, alignment, offset), product(count, size), memalign(alignment, product(count, size)))
RESIZES(mi_heap_realloc_aligned, (void *heap, void *pointer, size_t size, size_t alignment),
    (heap, pointer, size, alignment), size)
RESIZES(mi_heap_realloc_aligned_at, (void *heap, void *pointer, size_t size, size_t alignment, size_t offset),
    (heap, pointer, size, alignment, offset), size)
RESIZES(mi_heap_rezalloc_aligned, (void *heap, void *pointer, size_t size, size_t alignment),
    (heap, pointer, size, alignment), size)
RESIZES(mi_heap_rezalloc_aligned_at, (void *heap, void *pointer, size_t size, size_t alignment, size_t offset),
    (heap, pointer, size, alignment, offset), size)
RESIZES(mi_heap_recalloc_aligned, (void *heap, void *pointer, size_t count, size_t size, size_t alignment),
    (heap, pointer, count, size, alignment), product(count, size))
RESIZES(mi_heap_recalloc_aligned_at,
    (void *heap, void *pointer, size_t count, size_t size, size_t alignment, size_t offset),
    (heap, pointer, count, size, alignment, offset), product(count, size))
ALLOCATES(mi_zalloc_small, (size_t size), (size), size, calloc(1, size))
RESIZES(mi_expand, (void *pointer, size_t size), (pointer, size), size)
RESIZES(mi_reallocarray, (void *pointer, size_t count, size_t size), (pointer, count, size), product(count, size))
ALLOCATES(mi_memalign, (size_t alignment, size_t size), (alignment, size), size, memalign(alignment, size))
ALLOCATES(mi_aligned_alloc, (size_t alignment, size_t size), (alignment, size), size, memalign(alignment, size))
ALLOCATES(mi_valloc, (size_t size), (size), size, malloc(size))
ALLOCATES(mi_pvalloc, (size_t size), (size), size, malloc(size))
ALLOCATES(mi_new_nothrow, (size_t size), (size), size, malloc(size))
ALLOCATES_OR_THROWS(mi_new, (size_t size), (size), size, mi_new_nothrow(size))
ALLOCATES(mi_new_aligned_nothrow, (size_t size, size_t alignment), (size, alignment), size, memalign(alignment, size))
ALLOCATES_OR_THROWS(
    mi_new_aligned, (size_t size, size_t alignment), (size, alignment), size, mi_new_aligned_nothrow(size, alignment))
ALLOCATES_OR_THROWS(mi_new_n, (size_t count, size_t size), (count, size), product(count, size), mi_mallocn(count, size))
FREES(mi_free, (void *pointer), (pointer))
FREES(mi_cfree, (void *pointer), (pointer))
FREES(mi_free_size, (void *pointer, size_t size), (pointer, size))
FREES(mi_free_size_aligned, (void *pointer, size_t size, size_t alignment), (pointer, size, alignment))
FREES(mi_free_aligned, (void *pointer, size_t alignment), (pointer, alignment))
// clang-format on

ALLOCATES_INTO(tc_posix_memalign)
ALLOCATES_INTO(mi_posix_memalign)

namespace {

using MiVisitor = bool (*)(const void *heap, const void *area, void *block, std::size_t bytes, void *argument);
using MiVisit = bool (*)(const void *heap, bool visitsBlocks, MiVisitor visitor, void *argument);

bool recordEnd(const void *, const void *, void *block, std::size_t, void *)
{
    if (block != nullptr)
        recordRelease(capture::wire::RecordType::Free, block);
    return true;
}

} // namespace

/// Gives all blocks of a heap back at once.
void mi_heap_destroy(void *heap) noexcept
{
    if (!canForward() || g_next.mi_heap_destroy == nullptr)
        return;
    if (isPassing() || !g_allocator.isMimalloc)
        return g_next.mi_heap_destroy(heap);
    const ReentrancyGuard guard;
    if (guard && mallocModule() != nullptr)
        if (const std::uint64_t visit = symbolOf(mallocModule(), "mi_heap_visit_blocks"); visit != 0)
            reinterpret_cast<MiVisit>(visit)(heap, true, recordEnd, nullptr);
    g_next.mi_heap_destroy(heap);
}
