// SPDX-License-Identifier: GPL-3.0-or-later
// Stacks that are switched, torn down, tiny, deep, or lead nowhere.
#include "tests/targets/hostile/cases.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <coroutine>
#include <csetjmp>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace hostile;

namespace {

constexpr std::size_t kFiberBytes = 16 * 1024;
constexpr int kFibers = 40;
ucontext_t g_main, g_fibers[kFibers];
int g_bad = 0;

char *guardedStack(std::size_t bytes)
{
    char *area = static_cast<char *>(mmap(nullptr, bytes + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(area + 4096, bytes, PROT_READ | PROT_WRITE);
    return area + 4096;
}

void fiber(int number)
{
    for (int i = 0; i < 50; ++i) {
        g_bad += churn(20);
        swapcontext(&g_fibers[number], &g_main);
    }
}

int contexts()
{
    for (int i = 0; i < kFibers; ++i) {
        getcontext(&g_fibers[i]);
        g_fibers[i].uc_stack.ss_sp = guardedStack(kFiberBytes);
        g_fibers[i].uc_stack.ss_size = kFiberBytes;
        g_fibers[i].uc_link = &g_main;
        makecontext(&g_fibers[i], reinterpret_cast<void (*)()>(fiber), 1, i);
    }
    for (int round = 0; round < 51; ++round)
        for (int i = 0; i < kFibers; ++i)
            swapcontext(&g_main, &g_fibers[i]);
    std::printf("bad %d\n", g_bad);
    return 0;
}

struct Generator
{
    struct promise_type
    {
        std::string text;
        Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(std::string value)
        {
            text = std::move(value);
            return {};
        }
        void return_void() { }
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

Generator texts(int count)
{
    for (int i = 0; i < count; ++i)
        co_yield std::string(static_cast<std::size_t>(i % 100 + 30), 'x');
}

int coroutines()
{
    std::vector<Generator> all;
    for (int i = 0; i < 300; ++i)
        all.push_back(texts(i));
    std::size_t bytes = 0;
    for (bool goesOn = true; goesOn;) {
        goesOn = false;
        for (Generator &one : all) {
            if (one.handle.done())
                continue;
            one.handle.resume();
            bytes += one.handle.promise().text.size();
            goesOn = true;
        }
    }
    for (Generator &one : all)
        one.handle.destroy();
    std::printf("bytes %zu\n", bytes);
    return 0;
}

struct Allocates
{
    ~Allocates() { g_bad += churn(2); }
};

[[gnu::noinline]] int throwsBelow(int depth)
{
    const Allocates local;
    if (depth == 0)
        throw std::runtime_error(std::string(100, 'e'));
    return throwsBelow(depth - 1) + 1;
}

int exceptions()
{
    int caught = 0;
    std::exception_ptr last;
    for (int i = 0; i < 50; ++i) {
        try {
            throwsBelow(i * 20);
        } catch (const std::runtime_error &error) {
            caught += error.what()[0] == 'e' ? 1 : 0;
            last = std::current_exception();
        }
        try {
            std::rethrow_exception(last);
        } catch (const std::exception &) {
            ++caught;
        }
    }
    std::printf("caught %d bad %d\n", caught, g_bad);
    return 0;
}

jmp_buf g_back;

[[gnu::noinline]] int jumpsBelow(int depth)
{
    g_bad += churn(1);
    if (depth == 0)
        longjmp(g_back, 1);
    return jumpsBelow(depth - 1) + 1;
}

int jumps()
{
    volatile int count = 0;
    while (count < 1000) {
        if (setjmp(g_back) == 0)
            jumpsBelow(count % 100);
        count = count + 1;
        g_bad += churn(1);
    }
    std::printf("jumps %d bad %d\n", static_cast<int>(count), g_bad);
    return 0;
}

void *churnInThread(void *)
{
    const int bad = churn(500);
    return reinterpret_cast<void *>(static_cast<long>(bad));
}

/// The least that the system allows, with a page below that nobody may touch: the hook's own need comes on top of malloc's.
int smallestThreadStacks()
{
    const auto bytes = static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN));
    long bad = 0;
    for (int i = 0; i < 50; ++i) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, guardedStack(bytes), bytes);
        pthread_t thread;
        if (pthread_create(&thread, &attributes, churnInThread, nullptr) != 0)
            return 1;
        void *result = nullptr;
        pthread_join(thread, &result);
        bad += reinterpret_cast<long>(result);
    }
    std::printf("bad %ld\n", bad);
    return 0;
}

/// Calls `function` on another stack, with a frame pointer that leads nowhere and no unwind information.
extern "C" void callOn(char *top, void (*function)());
asm(R"(
callOn:
    pushq %rbp
    pushq %r12
    subq $8, %rsp
    movq %rsp, %r12
    movq %rdi, %rsp
    movabsq $0x5a5a5a5a5a5a5a5a, %rbp
    callq *%rsi
    movq %r12, %rsp
    addq $8, %rsp
    popq %r12
    popq %rbp
    ret
)");

int handMadeStack()
{
    // On the heap, in a mapping, and in the middle of this thread's own stack.
    std::vector<char> onHeap(32 * 1024);
    char onStack[32 * 1024];
    char *mapped = guardedStack(8192);
    const auto aligned = [](char *top) { return top - (reinterpret_cast<std::uintptr_t>(top) & 15); };
    for (int i = 0; i < 200; ++i) {
        callOn(aligned(onHeap.data() + onHeap.size()), [] { g_bad += churn(10); });
        callOn(aligned(onStack + sizeof onStack), [] { g_bad += churn(10); });
        callOn(aligned(mapped + 8192), [] { g_bad += churn(10); });
        g_bad += churn(10);
    }
    std::printf("bad %d\n", g_bad);
    return 0;
}

[[gnu::noinline]] int deepen(int depth)
{
    volatile int here = depth;
    if (depth % 500 == 0)
        g_bad += churn(5);
    return depth == 0 ? 0 : deepen(depth - 1) + (here > 0 ? 1 : 0);
}

int deepRecursion()
{
    int frames = 0;
    for (int i = 0; i < 3; ++i)
        frames += deepen(60'000);
    std::printf("frames %d bad %d\n", frames, g_bad);
    return 0;
}

[[gnu::noinline]] void bigFrame(std::size_t bytes)
{
    auto *area = static_cast<volatile char *>(__builtin_alloca(bytes));
    area[0] = 1;
    g_bad += churn(3);
}

int variableFrames()
{
    for (std::size_t i = 0; i < 3000; ++i)
        bigFrame(i * 1777 % 300'000 + 16);
    std::printf("bad %d\n", g_bad);
    return 0;
}

[[gnu::noinline]] int churnDeeper(int frames, volatile char **lowest)
{
    volatile char here[200];
    here[0] = 1;
    if (*lowest == nullptr || here < *lowest)
        *lowest = here;
    const int bad = frames > 0 ? churnDeeper(frames - 1, lowest) : churn(3);
    return bad + (here[0] != 1);
}

/// Runs `function` in a thread on the stack of `bytes` at `stack`, and prints what went wrong in it.
int runThreadOn(char *stack, std::size_t bytes, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, bytes);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, function, argument) != 0)
        return 1;
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    std::printf("bad %d\n", g_bad);
    return 0;
}

/// A thread comes back from deep calls, and what they left of its stack becomes unreadable, as runtimes do with their guard zones.
void *guardWhatWasLeft(void *stack)
{
    char *const end = static_cast<char *>(stack);
    for (int frames = 0; frames < 12; ++frames) {
        volatile char *lowest = nullptr, *shallow = nullptr;
        g_bad += churnDeeper(frames, &shallow);
        g_bad += churnDeeper(600, &lowest);
        auto *const from = end;
        const auto bytes = (static_cast<std::size_t>(const_cast<char *>(shallow) - from) - 16'384) & ~std::size_t{4095};
        mprotect(from, bytes, PROT_NONE);
        for (int i = 0; i < 5; ++i)
            g_bad += churnDeeper(frames, &shallow);
        mprotect(from, bytes, PROT_READ | PROT_WRITE);
    }
    return nullptr;
}

int guardedAgain()
{
    constexpr std::size_t kBytes = 512 * 1024;
    char *const stack = guardedStack(kBytes);
    return runThreadOn(stack, kBytes, guardWhatWasLeft, stack);
}

constexpr std::size_t kSideBytes = 256 * 1024;

char *g_side;

/// Allocates on the lowest page of the stack that it runs on.
[[gnu::noinline]] int churnAtTheBottom()
{
    volatile char here[200];
    here[0] = 1;
    const int bad = here - g_side > 4096 ? churnAtTheBottom() : churn(3);
    return bad + (here[0] != 1);
}

void runOn(char *stack)
{
    g_side = stack;
    callOn(stack + kSideBytes - 64, [] { g_bad += churnAtTheBottom(); });
}

/// Two stacks stand right below the thread's own, with nothing in between. The upper one goes away before the lower one is used.
void *useOneAfterTheOther(void *area)
{
    char *const lower = static_cast<char *>(area), *const upper = lower + kSideBytes;
    g_bad += churn(3);
    runOn(upper);
    munmap(upper, kSideBytes);
    runOn(lower);
    return nullptr;
}

int sideBySide()
{
    char *const area = guardedStack(3 * kSideBytes);
    return runThreadOn(area + 2 * kSideBytes, kSideBytes, useOneAfterTheOther, area);
}

/// The same where nobody but the kernel sees the upper one go, as when the allocator unmaps a block.
void *useOneAfterTheOtherUnseen(void *area)
{
    char *const lower = static_cast<char *>(area), *const upper = lower + kSideBytes;
    for (int i = 0; i < 2; ++i) {
        g_bad += churn(3);
        runOn(upper);
        syscall(SYS_munmap, upper, kSideBytes);
        runOn(lower);
        mmap(upper, kSideBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    return nullptr;
}

int sideBySideUnseen()
{
    char *const area = guardedStack(4 * kSideBytes);
    return runThreadOn(area + 2 * kSideBytes, 2 * kSideBytes, useOneAfterTheOtherUnseen, area);
}

/// Another thread gives the upper one back.
void *useOneAfterTheOthers(void *area)
{
    char *const lower = static_cast<char *>(area), *const upper = lower + kSideBytes;
    g_bad += churn(3);
    std::atomic<int> turn = 0;
    std::thread other([&turn, upper] {
        turn.wait(0);
        munmap(upper, kSideBytes);
        turn = 2;
        turn.notify_one();
    });
    runOn(upper);
    turn = 1; // nothing that allocates until the lower one is used
    turn.notify_one();
    turn.wait(1);
    runOn(lower);
    other.join();
    return nullptr;
}

int sideBySideOfTwoThreads()
{
    char *const area = guardedStack(4 * kSideBytes);
    return runThreadOn(area + 2 * kSideBytes, 2 * kSideBytes, useOneAfterTheOthers, area);
}

constexpr Case kCases[] = {
    {"contexts", contexts},
    {"coroutines", coroutines},
    {"exceptions", exceptions},
    {"jumps", jumps},
    {"smallest-thread-stacks", smallestThreadStacks},
    {"hand-made-stack", handMadeStack},
    {"deep-recursion", deepRecursion},
    {"variable-frames", variableFrames},
    {"guarded-again", guardedAgain},
    {"side-by-side", sideBySide},
    {"side-by-side-unseen", sideBySideUnseen},
    {"side-by-side-of-two-threads", sideBySideOfTwoThreads},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
