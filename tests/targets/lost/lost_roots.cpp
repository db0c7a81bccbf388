// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks that are held from each place where a program can keep a pointer, and from a few that are none.
#include "tests/targets/lost/expectations.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <thread>

namespace {

thread_local void *volatile t_pointer;
std::atomic<int> g_standing{0};
std::atomic<bool> g_isOver{false};
void *volatile g_global;
void *volatile g_initialized = &g_standing;
pthread_key_t g_firstKey, g_lateKey;
void *volatile g_coroutineStack;

void standHere()
{
    ++g_standing;
    scrub();
    while (!g_isOver)
        ::usleep(10'000);
}

__attribute__((noinline)) void globals()
{
    static void *volatile local;
    g_global = expectReachable(100);
    g_initialized = expectReachable(100);
    local = expectReachable(100);
    t_pointer = expectReachable(100);
}

__attribute__((noinline)) void mapped()
{
    for (const int flags : {MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS}) {
        auto **memory = static_cast<void **>(::mmap(nullptr, 3 << 20, PROT_READ | PROT_WRITE, flags, -1, 0));
        memory[200'000] = expectReachable(100);
    }
}

/// A mapping of the program that the kernel joins with one of malloc's.
__attribute__((noinline)) void mappedBesideBlocks()
{
    static void *volatile block;
    for (int i = 0; i < 8; ++i) {
        auto **memory
            = static_cast<void **>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        memory[5] = expectReachable(100);
        auto **big = static_cast<void **>(expectReachable(200'000));
        big[7] = block;
        block = big;
    }
}

__attribute__((noinline)) void keys()
{
    ::pthread_key_create(&g_firstKey, nullptr);
    for (int i = 0; i < 100; ++i)
        ::pthread_key_create(&g_lateKey, nullptr);
    ::pthread_setspecific(g_firstKey, expectReachable(100));
    ::pthread_setspecific(g_lateKey, expectReachable(100));
}

__attribute__((noinline)) void ofTheKernel()
{
    // Only the kernel has it: the known case in which a block is called lost and is not.
    static int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    static int pipes[2];
    if (::pipe(pipes) != 0)
        return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = expectDirectly(100);
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event);
    event.data.ptr = nullptr;
    asm volatile("" ::"r"(&event) : "memory");
}

__attribute__((noinline)) void *deep(int depth)
{
    void *volatile slot[32] = {};
    slot[7] = depth == 0 ? expectDirectly(100) : deep(depth - 1);
    void *result = slot[7];
    return result;
}

/// What is below the stack pointer is dead, whatever it holds.
__attribute__((noinline)) void staleStack()
{
    void *volatile pointer = deep(40);
    pointer = nullptr;
}

void onStack()
{
    void *volatile pointer = expectReachable(100);
    void *volatile other = expectReachable(100);
    standHere();
    asm volatile("" ::"r"(pointer), "r"(other));
}

void inThreadLocals()
{
    t_pointer = expectReachable(100);
    ::pthread_setspecific(g_firstKey, expectReachable(100));
    ::pthread_setspecific(g_lateKey, expectReachable(100));
    standHere();
}

/// Only a register that calls keep, and one of the vector unit, have the pointers; the loop makes no call.
void inRegisters()
{
    void *pointer = expectReachable(100);
    void *wide = expectReachable(100);
    ++g_standing;
    asm volatile("movq %[wide], %%xmm9\n"
                 "xor %[wide], %[wide]\n"
                 "1: pause\n"
                 "cmpb $0, (%[over])\n"
                 "je 1b\n"
                 : [wide] "+r"(wide)
                 : [pointer] "r"(pointer), [over] "r"(&g_isOver)
                 : "xmm9", "memory", "cc");
}

void inDynamicThreadLocals()
{
    auto *set = reinterpret_cast<void (*)(void *)>(::dlsym(RTLD_DEFAULT, "genesisSetThreadLocal"));
    if (set)
        set(expectReachable(100));
    standHere();
}

void inCoroutine()
{
    void *volatile pointer = expectReachable(100);
    standHere();
    asm volatile("" ::"r"(pointer));
}

/// The thread stands on a stack that is a block.
void onOwnStack()
{
    constexpr std::size_t kBytes = 256 * 1024;
    static ucontext_t coroutine, back;
    g_coroutineStack = expectReachable(kBytes);
    ::getcontext(&coroutine);
    coroutine.uc_stack = {g_coroutineStack, 0, kBytes};
    coroutine.uc_link = &back;
    ::makecontext(&coroutine, inCoroutine, 0);
    ::swapcontext(&back, &coroutine);
}

/// Blocks of another arena, lost by a thread that is gone.
void losesAndEnds()
{
    void **first = static_cast<void **>(expectDirectly(300));
    first[3] = expectIndirectly(300);
    first = nullptr;
}

} // namespace

int main()
{
    if (!::dlopen(GENESIS_LOST_MODULE, RTLD_NOW | RTLD_GLOBAL))
        return 1;
    // One after the other, so that the counts stay right.
    for (void (*make)() : {globals, mapped, mappedBesideBlocks, keys, ofTheKernel, staleStack}) {
        make();
        scrub();
    }
    {
        std::thread loser(losesAndEnds);
        loser.join();
    }
    int count = 0;
    for (void (*stand)() : {onStack, inThreadLocals, inRegisters, inDynamicThreadLocals, onOwnStack}) {
        std::thread(stand).detach();
        ++count;
        while (g_standing != count)
            ::usleep(1000);
    }
    scrub();
    g_expected.printAndWait();
    g_isOver = true;
}
