// SPDX-License-Identifier: GPL-3.0-or-later
// Computes in main and in a thread, deep in calls that keep frame pointers and have no unwind tables, and are called by libc, which has tables and
// keeps none. What lies on the stacks beside is no code. Argument: thousands of rounds (100,000).
#include <pthread.h>

#include <cstdlib>

static volatile unsigned long sink;
static long rounds = 100'000'000;

__attribute__((noinline)) static void compute()
{
    for (long i = 0; i < rounds; ++i)
        sink = sink + static_cast<unsigned long>(i);
}

__attribute__((noinline)) static void descend(int depth)
{
    volatile unsigned long beside[40];
    for (volatile unsigned long &word : beside)
        word = 0x7777000000000000 + static_cast<unsigned long>(depth);
    if (depth == 0)
        compute();
    else
        descend(depth - 1);
    sink = sink + beside[0];
}

/// Called by qsort, whose frames are found by its tables, and whose caller again by its frame pointer.
static int compareSlowly(const void *, const void *)
{
    descend(5);
    return 0;
}

__attribute__((noinline)) static void *sortInThread(void *)
{
    int two[2] = {2, 1};
    std::qsort(two, 2, sizeof(int), compareSlowly);
    sink = sink + 1;
    return nullptr;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = std::atol(argv[1]) * 1000;
    pthread_t thread;
    pthread_create(&thread, nullptr, sortInThread, nullptr);
    pthread_join(thread, nullptr);
    descend(12);
    return 0;
}
