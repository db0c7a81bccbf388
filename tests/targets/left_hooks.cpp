// SPDX-License-Identifier: GPL-3.0-or-later
// left_hooks RECOVERIES [THREADS]: jumps out of the allocator, as programs do that recover from a full stack, and goes on allocating: RECOVERIES times in
// each of THREADS threads, the first included. The stack of its signal handler lies within its own, above all frames. Then a timer's handler maps
// memory while the first thread allocates.
// Says "caught C left L allocations A signals S": of C recoveries L out of the allocator; A allocations made by afterwards(), and as many in each thread by
// interrupted().
#include <sys/mman.h>
#include <sys/time.h>

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr long kAllocations = 200'000;

thread_local sigjmp_buf t_back;
thread_local volatile std::sig_atomic_t t_isAllocating = 0, t_left = 0;
volatile std::sig_atomic_t g_signals = 0;
bool g_isAlone = true;
thread_local void *volatile t_sink;

struct Recovered
{
    int caught = 0, left = 0;
};

__attribute__((noinline)) int overflow(int depth)
{
    volatile char frame[2048];
    frame[0] = static_cast<char>(depth);
    t_isAllocating = 1;
    void *block = std::malloc(64);
    t_sink = block;
    if (g_isAlone) { // else realloc takes a lock, which nobody would give back
        block = std::realloc(block, static_cast<std::size_t>(depth % 7 + 1) * 40);
        t_sink = block;
    }
    std::free(block);
    t_isAllocating = 0;
    return depth == -1 ? 0 : overflow(depth + 1) + frame[0];
}

/// The same, ending a little elsewhere: in the allocator, in what traces it, or between.
__attribute__((noinline)) int overflowFrom(int bytes)
{
    auto *room = static_cast<volatile char *>(__builtin_alloca(static_cast<std::size_t>(bytes)));
    room[0] = 0;
    return overflow(0) + room[0];
}

void handle(int signal, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK | SA_RESTART;
    sigaction(signal, &action, nullptr);
}

void jumpBack(int)
{
    t_left = t_left + t_isAllocating;
    t_isAllocating = 0;
    siglongjmp(t_back, 1);
}

void mapAndUnmap(int)
{
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED)
        munmap(page, 4096);
    g_signals = g_signals + 1;
}

void allocate(long count)
{
    for (long i = 0; i < count; ++i) {
        void *block = std::malloc(static_cast<std::size_t>(i % 100 + 1));
        t_sink = block;
        std::free(block);
    }
}

} // namespace

__attribute__((noinline)) void afterwards(long count)
{
    allocate(count);
    t_sink = nullptr;
}

__attribute__((noinline)) void interrupted(long count)
{
    allocate(count);
    t_sink = nullptr;
}

namespace {

Recovered recover(int recoveries)
{
    alignas(16) char stackOfHandler[1 << 16];
    t_sink = stackOfHandler;
    const stack_t alternate{stackOfHandler, 0, sizeof stackOfHandler};
    sigaltstack(&alternate, nullptr);
    const volatile int all = recoveries;
    volatile int caught = 0;
    volatile int i = 0;
    while (i < all) {
        i = i + 1;
        if (sigsetjmp(t_back, 1) == 0)
            overflowFrom(i * 64);
        else
            caught = caught + 1;
    }
    afterwards(kAllocations);
    const stack_t none{nullptr, SS_DISABLE, 0};
    sigaltstack(&none, nullptr);
    return {caught, t_left};
}

} // namespace

int main(int argc, char **argv)
{
    handle(SIGSEGV, jumpBack);
    const int recoveries = argc > 1 ? std::atoi(argv[1]) : 40;
    std::vector<Recovered> recovered(argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 1);
    g_isAlone = recovered.size() == 1;
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < recovered.size(); ++i)
        threads.emplace_back([&recovered, i, recoveries] { recovered[i] = recover(recoveries); });
    recovered[0] = recover(recoveries);
    for (std::thread &thread : threads)
        thread.join();
    handle(SIGALRM, mapAndUnmap);
    const itimerval often{{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, nullptr);
    interrupted(kAllocations);
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    Recovered all;
    for (const Recovered &one : recovered) {
        all.caught += one.caught;
        all.left += one.left;
    }
    std::printf("caught %d left %d allocations %ld signals %d\n", all.caught, all.left, kAllocations,
        static_cast<int>(g_signals));
    return 0;
}
