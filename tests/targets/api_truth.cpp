// SPDX-License-Identifier: GPL-3.0-or-later
// Uses the API header, and prints what it told. Argument "cost": how long a mark takes that nobody listens to, in ps; "late":
// a module that comes later, and a child; "speak": the same over and over for a minute.
#include <dlfcn.h>
#include <genesis_profiler.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

genesis_pool g_arena = GENESIS_POOL("arena");
genesis_pool g_scratch = GENESIS_POOL("scratch");

char g_memory[1 << 20];

/// Takes `count` blocks of 64 bytes, and gives the first `freed` back.
[[gnu::noinline]] void usePool(genesis_pool &pool, char *memory, int count, int freed)
{
    for (int i = 0; i < count; ++i)
        GENESIS_POOL_ALLOC(&pool, memory + 64 * i, 64);
    for (int i = 0; i < freed; ++i)
        GENESIS_POOL_FREE(&pool, memory + 64 * i);
}

void phases()
{
    GENESIS_PHASE("outer");
    for (int i = 0; i < 3; ++i) {
        GENESIS_PHASE_BEGIN("inner");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        GENESIS_PHASE_END();
    }
}

int cost()
{
    constexpr int kMarks = 100'000'000;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kMarks; ++i)
        GENESIS_MARK("nobody listens");
    const auto time = std::chrono::steady_clock::now() - begin;
    std::printf("cost %lld\n",
        static_cast<long long>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count() * 1000 / kMarks));
    return 0;
}

} // namespace

/// A module that is loaded late, and a forked child: both have their own way to the recorder.
int late()
{
    void *module = dlopen(GENESIS_API_MODULE, RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr)
        return 1;
    reinterpret_cast<void (*)()>(dlsym(module, "speak"))();
    usePool(g_arena, g_memory, 10, 0);
    const pid_t child = fork();
    if (child == 0) {
        GENESIS_MARK("from a child");
        usePool(g_arena, g_memory + 65536, 7, 2); // what its parent had is not its own
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status;
}

/// Marks, and uses a pool, for as long as it is let: somebody may begin to listen in the middle.
int speakOn()
{
    std::printf("speaking\n");
    std::fflush(stdout);
    for (int i = 0; i < 1200; ++i) {
        const GenesisPhase phase("round");
        GENESIS_MARK("still here");
        usePool(g_arena, g_memory, 2, 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && std::string(argv[1]) == "speak")
        return speakOn();
    if (argc > 1 && std::string(argv[1]) == "late")
        return late();
    if (argc > 1 && std::string(argv[1]) == "cost")
        return cost();
    GENESIS_MARK("begin");
    GENESIS_MARK("a mark of more than thirteen bytes, with ü and €");
    std::string longText;
    for (int i = 0; i < 100; ++i)
        longText += "€"; // 300 bytes: 85 of them fit whole
    GENESIS_MARK(longText.c_str());
    std::thread other([] {
        GENESIS_THREAD_NAME("worker of api_truth");
        phases();
    });
    phases();
    other.join();
    usePool(g_arena, g_memory, 100, 40);
    usePool(g_scratch, g_memory + 65536, 30, 0);
    GENESIS_POOL_DESTROY(&g_scratch);
    usePool(g_scratch, g_memory + 65536, 10, 5);
    GENESIS_PHASE_BEGIN("never ended");
    GENESIS_MARK("end");
    std::printf("done\n");
    return 0;
}
