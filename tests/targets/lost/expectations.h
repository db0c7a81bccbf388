// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define GENESIS_HAS_VALGRIND
#endif

/// Blocks of programs in this folder are allocated by a function whose name says what becomes of them, so that whoever looks at a stack
/// knows what is right. The programs print how many of each there are.
struct Expectations
{
    int directly = 0;
    int indirectly = 0;
    int possibly = 0;
    int reachable = 0;

    /// Prints "expected directly 1 indirectly 2 …", then "ready", and waits for a line or the end of standard input. Below valgrind
    /// memcheck prints what it thinks of the blocks at this moment, between two lines "@@scan".
    void printAndWait() const
    {
#ifdef GENESIS_HAS_VALGRIND
        if (RUNNING_ON_VALGRIND) {
            VALGRIND_PRINTF("@@scan\n");
            VALGRIND_DO_LEAK_CHECK;
            VALGRIND_PRINTF("@@scan\n");
        }
#endif
        std::printf("expected directly %d indirectly %d possibly %d reachable %d\nready\n", directly, indirectly,
            possibly, reachable);
        std::fflush(stdout);
        char byte;
        while (::read(0, &byte, 1) < 0) { }
    }
};

inline Expectations g_expected;

// Not inlined, and with something behind the call, so that they stand in the stack.
#define GENESIS_EXPECT(name, field)                                                                                    \
    __attribute__((noinline)) inline void *name(std::size_t size)                                                      \
    {                                                                                                                  \
        void *volatile block = std::calloc(1, size);                                                                   \
        ++g_expected.field;                                                                                            \
        void *result = block;                                                                                          \
        block = nullptr;                                                                                               \
        return result;                                                                                                 \
    }
GENESIS_EXPECT(expectDirectly, directly)
GENESIS_EXPECT(expectIndirectly, indirectly)
GENESIS_EXPECT(expectPossibly, possibly)
GENESIS_EXPECT(expectReachable, reachable)
#undef GENESIS_EXPECT

/// Overwrites what calls have left on the stack below their caller's frame, and in the registers that a call may change.
__attribute__((noinline)) inline void scrub()
{
    volatile unsigned char space[32 * 1024];
    for (unsigned i = 0; i < sizeof space; ++i)
        space[i] = 0;
    asm volatile("xor %%eax, %%eax\nxor %%ecx, %%ecx\nxor %%edx, %%edx\nxor %%esi, %%esi\nxor %%edi, %%edi\n"
                 "xor %%r8d, %%r8d\nxor %%r9d, %%r9d\nxor %%r10d, %%r10d\nxor %%r11d, %%r11d\n"
                 "pxor %%xmm0, %%xmm0\npxor %%xmm1, %%xmm1\npxor %%xmm2, %%xmm2\npxor %%xmm3, %%xmm3\n" ::
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3");
}
