// SPDX-License-Identifier: GPL-3.0-or-later
// CPU time with a known truth: four functions share a fixed budget of identical work 50/30/15/5, one of them at the
// bottom of a recursion of 60 frames. Argument: units of work (400). Prints the truth.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

volatile std::uint64_t sink;

#define GENESIS_SPIN(rounds)                                                                                           \
    do {                                                                                                               \
        std::uint64_t x = 88172645463325252ULL;                                                                        \
        for (long i = 0; i < (rounds); ++i) {                                                                          \
            x ^= x << 13;                                                                                              \
            x ^= x >> 7;                                                                                               \
            x ^= x << 17;                                                                                              \
        }                                                                                                              \
        sink = sink + x;                                                                                               \
    } while (0)

} // namespace

__attribute__((noinline)) void fifty(long n) { GENESIS_SPIN(n * 50); }

__attribute__((noinline)) void thirty(long n) { GENESIS_SPIN(n * 30); }

__attribute__((noinline)) void fifteen(int depth, long n)
{
    if (depth == 0)
        GENESIS_SPIN(n * 15);
    else
        fifteen(depth - 1, n);
    asm volatile("" ::: "memory"); // keeps the call from becoming a jump
}

__attribute__((noinline)) void five(long n) { GENESIS_SPIN(n * 5); }

int main(int argc, char **argv)
{
    const long units = argc > 1 ? std::atol(argv[1]) : 400;
    for (long unit = 0; unit < units; ++unit) {
        fifty(20000);
        thirty(20000);
        fifteen(60, 20000);
        five(20000);
    }
    std::puts("fifty 50\nthirty 30\nfifteen 15\nfive 5\ndepth 60");
}
