// SPDX-License-Identifier: GPL-3.0-or-later
// Allocates from stacks of every kind that a compiler and a C library make: exceptions, longjmp, alloca, variable arrays, realigned
// frames, tail calls, deep and mutual recursion, callbacks through libc, coroutines, many threads. Prints how often.
#include <alloca.h>
#include <search.h>

#include <atomic>
#include <coroutine>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

std::atomic<long> g_allocations;

__attribute__((noinline)) void make(int count)
{
    for (int i = 0; i < count; ++i) {
        void *volatile block = std::malloc(static_cast<std::size_t>(16 + i));
        std::free(block);
        ++g_allocations;
    }
}

__attribute__((noinline)) int throwing(int depth, int seed)
{
    make(1);
    if (depth == 0)
        throw std::runtime_error("a message that is long enough to be on the heap");
    try {
        return throwing(depth - 1, seed * 3) + 1;
    } catch (const std::exception &) {
        make(1);
        if (seed % 3 == 0)
            throw;
        return depth;
    }
}

std::jmp_buf g_jump;

__attribute__((noinline)) int jumping(int depth)
{
    make(1);
    if (depth == 0)
        std::longjmp(g_jump, 1);
    volatile int kept = jumping(depth - 1);
    return kept + 1;
}

__attribute__((noinline)) int withAlloca(int bytes, int depth)
{
    auto *room = static_cast<volatile char *>(alloca(static_cast<std::size_t>(bytes)));
    room[0] = 1;
    make(1);
    const int below = depth > 0 ? withAlloca((bytes * 7) % 900 + 1, depth - 1) : 0;
    make(1);
    return below + room[0];
}

__attribute__((noinline)) int realigned(int depth)
{
    alignas(64) volatile char room[128];
    room[depth] = 1;
    make(1);
    return depth > 0 ? realigned(depth - 1) + room[depth] : withAlloca(100, 2);
}

__attribute__((noinline)) int even(unsigned n);
__attribute__((noinline)) int odd(unsigned n)
{
    make(1);
    if (n == 0)
        return 0;
    volatile int below = even(n - 1);
    return below + 1;
}
__attribute__((noinline)) int even(unsigned n)
{
    volatile char room[200];
    room[n % 200] = 1;
    make(1);
    return n == 0 ? room[0] : odd(n - 1);
}

int compareAndAllocate(const void *a, const void *b)
{
    make(1);
    return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}

void throughLibc(unsigned seed)
{
    int values[40];
    for (int &value : values)
        value = static_cast<int>(seed = seed * 1664525 + 1013904223) >> 8;
    std::qsort(values, 40, sizeof(int), compareAndAllocate);
    void *root = nullptr;
    for (int &value : values)
        ::tsearch(&value, &root, compareAndAllocate);
    ::tdestroy(root, [](void *) { make(1); });
}

struct Task
{
    struct promise_type
    {
        Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() { }
        void unhandled_exception() { std::abort(); }
    };
    std::coroutine_handle<promise_type> handle;
};

Task suspending(int times)
{
    for (int i = 0; i < times; ++i) {
        make(2);
        co_await std::suspend_always{};
    }
}

void coroutines(int depth)
{
    if (depth > 0)
        return coroutines(depth - 1);
    Task a = suspending(5), b = suspending(3);
    for (int i = 0; i < 6; ++i) {
        if (!a.handle.done())
            a.handle.resume();
        if (!b.handle.done())
            b.handle.resume();
    }
    a.handle.destroy();
    b.handle.destroy();
}

/// Which of two calls each of six frames makes, `turns` bit by bit: stacks that begin at the same place and depth and differ in the middle.
__attribute__((noinline)) int turning(unsigned turns, int depth)
{
    if (depth == 0) {
        make(1);
        return 1;
    }
    volatile int calls = 0;
    if ((turns & 1) != 0)
        calls = turning(turns >> 1, depth - 1) + 1;
    else
        calls = turning(turns >> 1, depth - 1) + 2;
    return calls;
}

/// Each way some times in turn, then another one; the ways come back. As loops in loops do it.
void turnsInTurn(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; ++i)
        for (unsigned again = 0; again <= i % 4; ++again) {
            turning(i * 37 % 64, 6);
            if (i % 5 == 0)
                withAlloca(static_cast<int>(i % 3) * 16 + 1, 1);
            turning(i % 7, 6);
        }
}

void everything(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; ++i) {
        try {
            throwing(static_cast<int>(i % 7), static_cast<int>(i));
        } catch (const std::exception &) {
            make(1);
        }
        if (setjmp(g_jump) == 0 && rounds == 0)
            jumping(3);
        withAlloca(static_cast<int>(i % 500) + 1, static_cast<int>(i % 5));
        realigned(static_cast<int>(i % 4));
        even(i % 60);
        throughLibc(i);
        coroutines(static_cast<int>(i % 3));
        turnsInTurn(i % 40);
        std::function<void(int)> nested = [&](int left) { left > 0 ? nested(left - 1) : make(3); };
        nested(static_cast<int>(i % 9));
    }
}

} // namespace

int main()
{
    // longjmp from one thread only: its buffer is shared.
    for (int i = 0; i < 300; ++i)
        if (setjmp(g_jump) == 0)
            jumping(i % 30);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i)
        threads.emplace_back(everything, 60 + i);
    everything(150);
    for (std::thread &thread : threads)
        thread.join();
    std::printf("truth allocations %ld\n", g_allocations.load());
    return 0;
}
