/* SPDX-License-Identifier: MIT */
/* Lets a program tell Genesis Profiler what it is doing: marks, phases, pools of its own, names of threads.
 *
 * Include this file; there is nothing to link. Where no recorder looks, each call is a load and a branch. It works in programs that
 * are started with `genprof record` and in those that a recorder attaches to later, in C (C99, GNU) and C++, in shared objects too.
 *
 *     GENESIS_MARK("cache warm");
 *
 *     GENESIS_PHASE_BEGIN("load");            // phases of a thread nest
 *     GENESIS_PHASE_END();
 *     { GENESIS_PHASE("parse"); ... }         // C++: until the end of the block
 *
 *     static genesis_pool arena = GENESIS_POOL("arena");
 *     GENESIS_POOL_ALLOC(&arena, block, 64);  // after the block was taken from the pool
 *     GENESIS_POOL_FREE(&arena, block);       // before it is given back
 *     GENESIS_POOL_DESTROY(&arena);           // all its blocks are gone; it may be used again
 *
 *     GENESIS_THREAD_NAME("io");              // in the session alone; the system's name stays
 *
 * A pool is a heap of its own, beside malloc's: live bytes, peak, and the stacks that took the blocks. The memory it is made of is
 * counted where it came from. Text is copied; at most 255 bytes of it are kept. A pool's name must live as long as the pool.
 * Define GENESIS_PROFILER_OFF to compile all of it away. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GENESIS_NOTE_MARK 1
#define GENESIS_NOTE_PHASE_BEGIN 2
#define GENESIS_NOTE_PHASE_END 3
#define GENESIS_NOTE_THREAD_NAME 4
#define GENESIS_NOTE_TYPE 1 /* of the ELF note that names the slot */

/* A pool. Set it up with GENESIS_POOL(name); the token is the tracer's. */
typedef struct genesis_pool
{
    const char *name;
    uint64_t token;
} genesis_pool;
#define GENESIS_POOL(name)                                                                                             \
    {                                                                                                                  \
        (name), 0                                                                                                      \
    }

/* What of a scope must not be exceeded; UINT64_MAX: no limit. Blocks are malloc's, those of operator new included. */
struct genesis_scope_limits
{
    uint64_t allocations; /* realloc counts too */
    uint64_t bytes;       /* allocated, as they were asked for */
    uint64_t peak_bytes;  /* live at once, of the blocks that were allocated in the scope */
    uint64_t left_blocks; /* of these, not freed when it ends */
    uint64_t left_bytes;
};
#define GENESIS_SCOPE_OWN_THREAD 0 /* counts what the thread allocates that begins the scope; frees of all threads */
#define GENESIS_SCOPE_ALL_THREADS 1
#define GENESIS_SCOPE_MET 0
#define GENESIS_SCOPE_EXCEEDED 1
#define GENESIS_SCOPE_UNKNOWN 2

/* What a tracer provides. Fields are only ever added at the end. */
struct genesis_profiler_api
{
    uint32_t version;
    uint32_t bytes;
    void (*note)(unsigned kind, const char *text, size_t bytes);
    void (*pool_allocated)(genesis_pool *pool, const void *block, size_t bytes);
    void (*pool_freed)(genesis_pool *pool, const void *block);
    void (*pool_destroyed)(genesis_pool *pool);
    /* From version 2 on. A scope of the calling thread, which ends it; scopes may nest. 0: nobody records. */
    uint64_t (*scope_begin)(unsigned threads);
    /* Waits for the recorder to compare it with the limits: GENESIS_SCOPE_MET, _EXCEEDED, or _UNKNOWN, which is no failure. `text` then says what
     * and why, with the stacks; it is cut to fit, and ends with a zero byte. */
    int (*scope_end)(uint64_t scope, const struct genesis_scope_limits *limits, char *text, size_t bytes);
};

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(GENESIS_PROFILER_OFF)                     \
    && !defined(GENESIS_PROFILER_TRACER)

/* One a module. Empty until a tracer fills it, which finds it by the note below, or is asked at the start of a module that comes late. */
extern const struct genesis_profiler_api *genesis_profiler_slot;
__attribute__((weak, used, visibility("hidden"))) const struct genesis_profiler_api *genesis_profiler_slot;
__asm__(".pushsection .note.genesis,\"a\",@note\n"
        ".balign 4\n"
        ".4byte 8, 8, 1\n"
        ".asciz \"Genesis\"\n"
        ".8byte genesis_profiler_slot - .\n"
        ".popsection\n");

__attribute__((weak)) void genesis_profiler_join(const struct genesis_profiler_api **slot);
__attribute__((constructor, unused)) static void genesis_profiler_start(void)
{
    if (genesis_profiler_join)
        genesis_profiler_join(&genesis_profiler_slot);
}

static inline const struct genesis_profiler_api *genesis_profiler_get(void)
{
    return __atomic_load_n(&genesis_profiler_slot, __ATOMIC_ACQUIRE);
}

#define GENESIS_PROFILER_CALL(call)                                                                                    \
    do {                                                                                                               \
        const struct genesis_profiler_api *genesis_api_ = genesis_profiler_get();                                      \
        if (__builtin_expect(genesis_api_ != NULL, 0))                                                                 \
            genesis_api_->call;                                                                                        \
    } while (0)

#else
#define GENESIS_PROFILER_CALL(call)                                                                                    \
    do {                                                                                                               \
    } while (0)
#endif

static inline void genesis_note(unsigned kind, const char *text)
{
    (void)kind;
    (void)text;
    GENESIS_PROFILER_CALL(note(kind, text, strlen(text)));
}

#define GENESIS_MARK(text) genesis_note(GENESIS_NOTE_MARK, (text))
#define GENESIS_PHASE_BEGIN(name) genesis_note(GENESIS_NOTE_PHASE_BEGIN, (name))
#define GENESIS_PHASE_END() genesis_note(GENESIS_NOTE_PHASE_END, "")
#define GENESIS_THREAD_NAME(name) genesis_note(GENESIS_NOTE_THREAD_NAME, (name))
#define GENESIS_POOL_ALLOC(pool, block, bytes) GENESIS_PROFILER_CALL(pool_allocated((pool), (block), (bytes)))
#define GENESIS_POOL_FREE(pool, block) GENESIS_PROFILER_CALL(pool_freed((pool), (block)))
#define GENESIS_POOL_DESTROY(pool) GENESIS_PROFILER_CALL(pool_destroyed((pool)))

#ifdef __cplusplus
} /* extern "C" */

/* A phase that ends with its scope. */
class GenesisPhase
{
public:
    explicit GenesisPhase(const char *name) { GENESIS_PHASE_BEGIN(name); }
    ~GenesisPhase() { GENESIS_PHASE_END(); }
    GenesisPhase(const GenesisPhase &) = delete;
    GenesisPhase &operator=(const GenesisPhase &) = delete;
};
#define GENESIS_PHASE_NAME2(line) genesis_phase_##line
#define GENESIS_PHASE_NAME(line) GENESIS_PHASE_NAME2(line)
#define GENESIS_PHASE(name) const GenesisPhase GENESIS_PHASE_NAME(__LINE__)(name)
#endif
