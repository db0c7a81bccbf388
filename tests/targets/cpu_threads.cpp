// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that start, compute and end all the time. Arguments: how many rounds (10) of four threads; "fork" lets each
// thread's work be done by a child of its own, "empty" leaves nothing to do but to start and end them. Prints the CPU time used, of the children too.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

__attribute__((noinline)) void spin(long rounds)
{
    volatile std::uint64_t x = 88172645463325252ULL;
    for (long i = 0; i < rounds; ++i)
        x = (x ^ (x << 13)) * 3;
}

__attribute__((noinline)) void work(long rounds, bool forks)
{
    if (!forks)
        return spin(rounds);
    const pid_t child = fork();
    if (child == 0) {
        spin(rounds);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

int main(int argc, char **argv)
{
    const long rounds = argc > 1 ? std::atol(argv[1]) : 10;
    const bool forks = argc > 2 && std::strcmp(argv[2], "fork") == 0;
    const bool isEmpty = argc > 2 && std::strcmp(argv[2], "empty") == 0;
    spin(50'000'000); // time to attach before there is anything but this thread
    for (long round = 0; round < rounds; ++round) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back(work, isEmpty ? 0 : 30'000'000, forks);
        spin(isEmpty ? 0 : 10'000'000);
        for (std::thread &thread : threads)
            thread.join();
    }
    rusage own = {}, children = {};
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    long microseconds = 0;
    for (const rusage &usage : {own, children})
        microseconds += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec
            + usage.ru_stime.tv_usec;
    std::printf("cpu_us %ld\n", microseconds);
}
