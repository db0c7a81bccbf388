// SPDX-License-Identifier: GPL-3.0-or-later
// Makes system calls and waits that are known to the last one, and prints how many. Modes: calls N, fail N, transfer N BYTES, sleep N MS, lock MS,
// pipe MS, threads N CALLS, stuck N, exec N, storm MS.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#define PLACE __attribute__((noinline, noclone))

namespace {

volatile long keep;

PLACE void askParent(long count)
{
    for (long i = 0; i < count; ++i)
        keep = syscall(SYS_getppid);
}

PLACE void askInVain(long count)
{
    for (long i = 0; i < count; ++i)
        keep = close(-1);
}

PLACE void transfer(long count, std::size_t bytes)
{
    int ends[2];
    if (pipe(ends) != 0)
        std::exit(3);
    std::vector<char> buffer(bytes);
    for (long i = 0; i < count; ++i) {
        keep = write(ends[1], buffer.data(), bytes);
        keep = read(ends[0], buffer.data(), bytes);
    }
}

PLACE void restAWhile(long count, long ms)
{
    timespec time{ms / 1000, (ms % 1000) * 1'000'000};
    for (long i = 0; i < count; ++i)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

PLACE void takeLock(std::mutex &mutex)
{
    mutex.lock();
    mutex.unlock();
}

void waitForLock(long ms)
{
    std::mutex mutex;
    mutex.lock();
    std::jthread other([&] { takeLock(mutex); });
    restAWhile(1, ms);
    mutex.unlock();
}

PLACE void readPipe(int end)
{
    char byte = 0;
    keep = read(end, &byte, 1);
}

void waitForPipe(long ms)
{
    int ends[2];
    if (pipe(ends) != 0)
        std::exit(3);
    std::jthread other([&] { readPipe(ends[0]); });
    restAWhile(1, ms);
    keep = write(ends[1], "x", 1);
}

void inThreads(long threads, long calls)
{
    std::vector<std::jthread> all;
    for (long i = 0; i < threads; ++i)
        all.emplace_back([calls] { askParent(calls); });
}

/// Ends while its threads are in a call that never returns.
void stuckThreads(long threads)
{
    for (long i = 0; i < threads; ++i)
        std::thread([] {
            for (;;)
                pause();
        }).detach();
    restAWhile(1, 200);
    std::puts("stuck");
    std::fflush(stdout);
    _exit(0);
}

long askForAWhile(long ms)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    long count = 0;
    while (std::chrono::steady_clock::now() < end) {
        askParent(1000);
        count += 1000;
    }
    return count;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string mode = argc > 1 ? argv[1] : "";
    const long first = argc > 2 ? std::atol(argv[2]) : 0, second = argc > 3 ? std::atol(argv[3]) : 0;
    if (mode == "calls")
        askParent(first);
    else if (mode == "fail")
        askInVain(first);
    else if (mode == "transfer")
        transfer(first, static_cast<std::size_t>(second));
    else if (mode == "sleep")
        restAWhile(first, second);
    else if (mode == "lock")
        waitForLock(first);
    else if (mode == "pipe")
        waitForPipe(first);
    else if (mode == "threads")
        inThreads(first, second);
    else if (mode == "stuck")
        stuckThreads(first);
    else if (mode == "storm")
        std::printf("calls %ld\n", askForAWhile(first));
    else if (mode == "exec") {
        askParent(first);
        const std::string rest = std::to_string(first);
        execl(argv[0], argv[0], "calls", rest.c_str(), static_cast<char *>(nullptr));
        return 3;
    } else
        return 2;
    return 0;
}
