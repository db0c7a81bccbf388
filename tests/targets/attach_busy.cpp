// SPDX-License-Identifier: GPL-3.0-or-later
// A program to attach to. Its THREADS threads never sleep: they read the clock as fast as they can and remember the longest time
// between two readings. It does what lines on its stdin say, and answers each with a line:
//   go N         every thread makes and frees N blocks, by malloc, calloc and realloc, and keeps one: "done allocations A frees F"
//   churn        the threads allocate and free all the time, and check their blocks
//   quiet        they stop doing so: "quiet"
//   gap          "gap NS": the longest time since the last "gap" that a thread was kept from its loop
//   load FILE    loads a library and calls its allocateSome(); "deep FILE" loads it so that it prefers its own dependencies
//   fork N       a child makes and frees N blocks, and ends: "forked STATUS"
//   word FIFO    "waiting"; then two threads wait for a byte from there, and the one that gets it does as "fork 10" does
//   scribble     a thread allocates and ends, and its stack, with its thread-local data, is overwritten: "scribbled"
//   quit         "bye ERRORS"
// Arguments: THREADS [spin]. With "spin" the main thread does not wait in a system call for its lines either.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kMostThreads = 64;

struct Worker
{
    pthread_t thread;
    std::atomic<long> longestGapNs = 0;
    std::atomic<int> roundsDone = 0;
    void *kept = nullptr;
};

Worker g_workers[kMostThreads];
std::atomic<long> g_operations = 0;
std::atomic<int> g_round = 0;
std::atomic<bool> g_isChurning = false, g_isOver = false;
std::atomic<long> g_errors = 0;
std::atomic<long> g_mainGapNs = 0;

long nowNs()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void check(const unsigned char *block, std::size_t bytes, unsigned char pattern)
{
    if (block[0] != pattern || block[bytes - 1] != pattern)
        ++g_errors;
}

/// Three allocations (realloc is one free and one allocation) and three frees.
void operate(unsigned char pattern)
{
    auto *a = static_cast<unsigned char *>(malloc(40));
    memset(a, pattern, 40);
    auto *b = static_cast<unsigned char *>(calloc(3, 16));
    memset(b, pattern, 48);
    a = static_cast<unsigned char *>(realloc(a, 400));
    check(a, 40, pattern);
    check(b, 48, pattern);
    free(b);
    free(a);
}

/// Holds values in vector registers for a while; false if they are others then. Whoever stops us must bring all of them back.
__attribute__((target("avx2"), noinline)) bool keepVectors()
{
    unsigned char isSame;
    asm volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0\n\t"
                 "vpsrld $7, %%ymm0, %%ymm1\n\t"
                 "vmovdqa %%ymm1, %%ymm7\n\t"
                 "vmovdqa %%ymm1, %%ymm15\n\t"
                 "movl $3000, %%ecx\n"
                 "1: decl %%ecx\n\t"
                 "jnz 1b\n\t"
                 "vpsrld $7, %%ymm0, %%ymm0\n\t"
                 "vpxor %%ymm0, %%ymm1, %%ymm1\n\t"
                 "vpxor %%ymm0, %%ymm7, %%ymm7\n\t"
                 "vpxor %%ymm0, %%ymm15, %%ymm15\n\t"
                 "vpor %%ymm7, %%ymm1, %%ymm1\n\t"
                 "vpor %%ymm15, %%ymm1, %%ymm1\n\t"
                 "vptest %%ymm1, %%ymm1\n\t"
                 "setz %0\n\t"
                 "vzeroupper"
                 : "=q"(isSame)
                 :
                 : "ecx", "cc", "xmm0", "xmm1", "xmm7", "xmm15");
    return isSame != 0;
}

/// The same with the registers that AVX-512 adds.
__attribute__((target("avx512f"), noinline)) bool keepWideVectors()
{
    unsigned lanes;
    asm volatile("vpternlogd $255, %%zmm17, %%zmm17, %%zmm17\n\t"
                 "vpsrld $7, %%zmm17, %%zmm31\n\t"
                 "movl $3000, %%ecx\n"
                 "1: decl %%ecx\n\t"
                 "jnz 1b\n\t"
                 "vpsrld $7, %%zmm17, %%zmm17\n\t"
                 "vpcmpeqd %%zmm17, %%zmm31, %%k1\n\t"
                 "kmovw %%k1, %0\n\t"
                 "vzeroupper"
                 : "=r"(lanes)
                 :
                 : "ecx", "cc", "xmm17", "xmm31", "k1");
    return lanes == 0xffff;
}

void *work(void *argument)
{
    Worker &worker = *static_cast<Worker *>(argument);
    const auto pattern = static_cast<unsigned char>(&worker - g_workers + 1);
    const bool hasVectors = __builtin_cpu_supports("avx2"), hasWideVectors = __builtin_cpu_supports("avx512f");
    long last = nowNs();
    while (!g_isOver) {
        const long now = nowNs();
        if (now - last > worker.longestGapNs)
            worker.longestGapNs = now - last;
        last = now;
        if ((hasVectors && !keepVectors()) || (hasWideVectors && !keepWideVectors()))
            ++g_errors;
        if (g_isChurning)
            operate(pattern);
        if (worker.roundsDone == g_round)
            continue;
        for (long i = g_operations; i > 0; --i)
            operate(pattern);
        worker.kept = malloc(24);
        ++worker.roundsDone;
        last = nowNs();
    }
    return nullptr;
}

void go(int threads, long operations)
{
    g_operations = operations;
    ++g_round;
    for (int i = 0; i < threads; ++i)
        while (g_workers[i].roundsDone != g_round)
            sched_yield();
    printf("done allocations %ld frees %ld\n", threads * (operations * 3 + 1), threads * operations * 3);
}

void load(const char *path, int flags)
{
    void *library = dlopen(path, RTLD_NOW | flags);
    auto *function = library ? reinterpret_cast<void (*)()>(dlsym(library, "allocateSome")) : nullptr;
    if (function)
        function();
    printf(function ? "loaded\n" : "failed %s\n", function ? "" : dlerror());
}

void forkOnce(long operations)
{
    const pid_t child = fork();
    if (child == 0) {
        for (long i = operations; i > 0; --i)
            operate(7);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    printf("forked %d\n", status);
}

/// On two threads of its own: whichever thread is borrowed meanwhile, one of them is not.
void forkAt(const char *path, long operations)
{
    struct Errand
    {
        char path[256];
        long operations;
    };
    static Errand errand;
    snprintf(errand.path, sizeof errand.path, "%s", path);
    errand.operations = operations;
    const auto waitAndFork = [](void *) -> void * {
        char byte;
        const int file = open(errand.path, O_RDONLY); // waits until somebody opens the other end
        ssize_t got;
        while ((got = read(file, &byte, 1)) < 0 && errno == EINTR) { }
        close(file);
        if (got == 1)
            forkOnce(errand.operations);
        return nullptr;
    };
    for (int i = 0; i < 2; ++i) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, waitAndFork, nullptr) == 0)
            pthread_detach(thread);
    }
    puts("waiting");
}

void scribble()
{
    constexpr std::size_t kBytes = 256 * 1024;
    void *stack = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, kBytes);
    pthread_t thread;
    const auto operateOnce = [](void *) -> void * {
        operate(9);
        return nullptr;
    };
    if (pthread_create(&thread, &attributes, operateOnce, nullptr) == 0)
        pthread_join(thread, nullptr);
    memset(stack, 0x5a, kBytes);
    puts("scribbled");
}

void obey(char *line, int threads)
{
    if (strncmp(line, "go ", 3) == 0) {
        go(threads, atol(line + 3));
    } else if (strcmp(line, "churn") == 0 || strcmp(line, "quiet") == 0) {
        g_isChurning = line[0] == 'c';
        puts(line);
    } else if (strcmp(line, "gap") == 0) {
        long longest = g_mainGapNs.exchange(0);
        for (int i = 0; i < threads; ++i) {
            const long gap = g_workers[i].longestGapNs.exchange(0);
            longest = gap > longest ? gap : longest;
        }
        printf("gap %ld\n", longest);
    } else if (strncmp(line, "load ", 5) == 0) {
        load(line + 5, 0);
    } else if (strncmp(line, "deep ", 5) == 0) {
        load(line + 5, RTLD_DEEPBIND);
    } else if (strncmp(line, "fork ", 5) == 0) {
        forkOnce(atol(line + 5));
    } else if (strncmp(line, "word ", 5) == 0) {
        forkAt(line + 5, 10);
    } else if (strcmp(line, "scribble") == 0) {
        scribble();
    }
}

/// Reads a line by single bytes, so that nothing is allocated.
bool readLine(char *line, std::size_t size)
{
    long last = nowNs();
    for (std::size_t i = 0; i + 1 < size;) {
        const ssize_t got = read(0, line + i, 1);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return false;
        if (got < 0) { // a thread that runs like the others
            const long now = nowNs();
            g_mainGapNs = now - last > g_mainGapNs ? now - last : g_mainGapNs.load();
            last = now;
            continue;
        }
        if (line[i] == '\n') {
            line[i] = 0;
            return true;
        }
        ++i;
    }
    return false;
}

} // namespace

int main(int argc, char **argv)
{
    static char output[4096];
    setvbuf(stdout, output, _IOLBF, sizeof output);
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (argc > 2 && strcmp(argv[2], "spin") == 0)
        fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    for (int i = 0; i < threads; ++i)
        pthread_create(&g_workers[i].thread, nullptr, work, &g_workers[i]);
    puts("ready");
    char line[512];
    while (readLine(line, sizeof line) && strcmp(line, "quit") != 0)
        obey(line, threads);
    g_isOver = true;
    for (int i = 0; i < threads; ++i)
        pthread_join(g_workers[i].thread, nullptr);
    printf("bye %ld\n", g_errors.load());
    return g_errors == 0 ? 0 : 1;
}
