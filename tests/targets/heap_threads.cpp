// SPDX-License-Identifier: GPL-3.0-or-later
// Threads and stacks that a tracer can get wrong. Prints how many blocks its own code made and freed. Argument: which.
#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void *volatile g_sink;
long g_allocations, g_frees;

void make(long count)
{
    for (long i = 0; i < count; ++i) {
        void *block = std::malloc(32);
        g_sink = block;
        __atomic_fetch_add(&g_allocations, 1, __ATOMIC_RELAXED);
        std::free(block);
        __atomic_fetch_add(&g_frees, 1, __ATOMIC_RELAXED);
    }
}

pthread_key_t g_key;

/// Runs after the thread's function, in each round that the C library allows.
void onThreadEnd(void *)
{
    make(3);
    static thread_local int t_rounds = 0;
    if (++t_rounds < 4)
        pthread_setspecific(g_key, &g_key);
}

void *shortThread(void *)
{
    pthread_setspecific(g_key, &g_key);
    make(10);
    return nullptr;
}

/// Many more threads than there are rings, a few at a time, each with thread-specific destructors that allocate.
void churn()
{
    pthread_key_create(&g_key, onThreadEnd);
    for (int wave = 0; wave < 400; ++wave) {
        pthread_t threads[8];
        for (pthread_t &thread : threads)
            if (pthread_create(&thread, nullptr, shortThread, nullptr) != 0)
                std::abort();
        for (const pthread_t thread : threads)
            pthread_join(thread, nullptr);
    }
}

void onSignal(int) { make(5); }

/// A handler on a stack of its own, which is given back afterwards, from the main thread and from another.
void *signalStacks(void *)
{
    for (int round = 0; round < 20; ++round) {
        stack_t stack{};
        stack.ss_size = 65536;
        stack.ss_sp = std::malloc(stack.ss_size);
        ++g_allocations;
        sigaltstack(&stack, nullptr);
        struct sigaction action
        {
        };
        action.sa_handler = onSignal;
        action.sa_flags = SA_ONSTACK;
        sigaction(SIGUSR1, &action, nullptr);
        pthread_kill(pthread_self(), SIGUSR1);
        stack_t off{};
        off.ss_flags = SS_DISABLE;
        sigaltstack(&off, nullptr);
        std::free(stack.ss_sp);
        ++g_frees;
    }
    return nullptr;
}

ucontext_t g_main, g_other;

void inCoroutine()
{
    for (;;) {
        make(5);
        swapcontext(&g_other, &g_main);
    }
}

/// A coroutine on a stack from the heap.
void coroutine()
{
    static char stack[65536];
    getcontext(&g_other);
    g_other.uc_stack.ss_sp = stack;
    g_other.uc_stack.ss_size = sizeof stack;
    makecontext(&g_other, inCoroutine, 0);
    for (int i = 0; i < 100; ++i)
        swapcontext(&g_main, &g_other);
}

__attribute__((noinline)) int deep(int left)
{
    // Two calls of itself, of which one is made: nothing that a compiler could turn into a loop.
    if (left == 0) {
        make(1);
        return 0;
    }
    volatile int step = left % 2;
    return step != 0 ? deep(left - step) + 1 : 2 * deep(left - 1) + step;
}

void *smallStack(void *)
{
    make(100);
    return nullptr;
}

void stacks()
{
    signalStacks(nullptr);
    pthread_t thread;
    pthread_create(&thread, nullptr, signalStacks, nullptr);
    pthread_join(thread, nullptr);
    coroutine();
    deep(50000); // more frames than a stack may have
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    if (pthread_create(&thread, &attributes, smallStack, nullptr) != 0)
        std::abort();
    pthread_join(thread, nullptr);
}

} // namespace

int main(int argc, char **argv)
{
    const std::string which = argc > 1 ? argv[1] : "";
    if (which == "churn")
        churn();
    else
        stacks();
    std::printf("truth allocations %ld frees %ld\n", g_allocations, g_frees);
    return 0;
}
