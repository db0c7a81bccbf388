// SPDX-License-Identifier: GPL-3.0-or-later
// Allocation storm: THREADS threads, PAIRS million malloc/free pairs each, about 200 distinct call
// stacks of depth ~20, a live set of 50k objects per thread, sizes mostly small. Prints ns per pair.
// With GENESIS_QUIET_THREAD there is another thread besides, which allocates once every 20 ms.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

struct Rng
{
    std::uint64_t s;
    std::uint64_t next()
    {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        return s;
    }
};

std::size_t pickSize(Rng &r)
{
    const auto x = r.next() & 1023;
    if (x == 0)
        return 65536;
    if (x < 32)
        return 1024 + (r.next() & 4095);
    return 16 + (r.next() & 255) * (x & 3 ? 1 : 4);
}

using Fn = void *(*)(std::size_t, std::uint64_t);

template <int Id, int Depth> struct Call
{
    __attribute__((noinline)) static void *go(std::size_t n, std::uint64_t path)
    {
        // two children per level: the path's bits choose, so stacks share roots and differ at leaves
        void *p;
        if constexpr (Depth == 0) {
            p = std::malloc(n);
        } else if constexpr (Depth > 8) {
            p = Call<Id, Depth - 1>::go(n, path);
        } else {
            p = (path >> Depth) & 1 ? Call<(Id * 2 + 1) % 5, Depth - 1>::go(n, path)
                                    : Call<(Id * 2) % 5, Depth - 1>::go(n, path);
        }
        asm volatile("" ::"r"(p) : "memory");
        return p;
    }
};

void worker(int id, long pairs)
{
    Rng r{0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(id) * 7919};
    std::vector<void *> live(50000, nullptr);
    std::uint64_t path = 0;
    for (long i = 0; i < pairs; ++i) {
        // a third of the calls repeat the previous path, as real programs do in loops
        if (r.next() % 3)
            path = r.next() & 0xff;
        const std::size_t slot = r.next() % live.size();
        std::free(live[slot]);
        live[slot] = Call<0, 18>::go(pickSize(r), path);
        if (live[slot])
            *static_cast<char *>(live[slot]) = 1;
    }
    for (void *p : live)
        std::free(p);
}

} // namespace

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    const double millions = argc > 2 ? std::atof(argv[2]) : 5;
    const auto pairs = static_cast<long>(millions * 1e6);
#ifdef GENESIS_QUIET_THREAD
    std::atomic<bool> isOver = false;
    std::thread quiet([&] {
        for (; !isOver; std::this_thread::sleep_for(std::chrono::milliseconds(20)))
            std::free(Call<0, 18>::go(100, 0));
    });
#endif
    const auto t0 = std::chrono::steady_clock::now();
    std::vector<std::thread> ts;
    for (int t = 1; t < threads; ++t)
        ts.emplace_back(worker, t, pairs);
    worker(0, pairs);
    for (auto &t : ts)
        t.join();
    const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - t0).count();
#ifdef GENESIS_QUIET_THREAD
    isOver = true;
    quiet.join();
#endif
    std::printf("threads %d pairs/thread %ld wall_ns_per_pair %.1f\n", threads, pairs, ns / static_cast<double>(pairs));
}
