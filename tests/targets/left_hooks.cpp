// SPDX-License-Identifier: GPL-3.0-or-later
// Jumps out of the allocator, as programs do that recover from a full stack, and goes on allocating: RECOVERIES times. The stack of its signal
// handler lies within its own, above all frames. Then a timer's handler maps memory while it allocates.
// Says "caught C left L allocations A signals S": of C recoveries L out of the allocator; A allocations made by afterwards(), and as many by interrupted().
#include <sys/mman.h>
#include <sys/time.h>

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

sigjmp_buf g_back;
volatile std::sig_atomic_t g_signals = 0, g_isAllocating = 0, g_left = 0;
void *volatile g_sink;

__attribute__((noinline)) int overflow(int depth)
{
    volatile char frame[2048];
    frame[0] = static_cast<char>(depth);
    g_isAllocating = 1;
    void *block = std::malloc(64);
    g_sink = block;
    std::free(block);
    g_isAllocating = 0;
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
    g_left = g_left + g_isAllocating;
    g_isAllocating = 0;
    siglongjmp(g_back, 1);
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
        g_sink = block;
        std::free(block);
    }
}

} // namespace

__attribute__((noinline)) void afterwards(long count)
{
    allocate(count);
    g_sink = nullptr;
}

__attribute__((noinline)) void interrupted(long count)
{
    allocate(count);
    g_sink = nullptr;
}

int main(int argc, char **argv)
{
    constexpr long kAllocations = 200'000;
    alignas(16) char stackOfHandler[1 << 16];
    g_sink = stackOfHandler;
    const stack_t alternate{stackOfHandler, 0, sizeof stackOfHandler};
    sigaltstack(&alternate, nullptr);
    handle(SIGSEGV, jumpBack);
    const volatile int recoveries = argc > 1 ? std::atoi(argv[1]) : 40;
    volatile int caught = 0;
    volatile int i = 0;
    while (i < recoveries) {
        i = i + 1;
        if (sigsetjmp(g_back, 1) == 0)
            overflowFrom(i * 64);
        else
            caught = caught + 1;
    }
    afterwards(kAllocations);
    handle(SIGALRM, mapAndUnmap);
    const itimerval often{{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, nullptr);
    interrupted(kAllocations);
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    std::printf("caught %d left %d allocations %ld signals %d\n", static_cast<int>(caught), static_cast<int>(g_left),
        kAllocations, static_cast<int>(g_signals));
    return 0;
}
