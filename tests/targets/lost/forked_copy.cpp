// SPDX-License-Identifier: GPL-3.0-or-later
// A busy program that would notice a copy of itself: a child that it has not made, descriptors that stay open, sleeps that end early. Blocks are
// held from memory that a fork does not copy as it is. Prints what it saw after a line on its stdin: counts that are to be 0.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kBlocks = 2000; // 16 MiB

std::atomic<bool> g_isOver = false;
std::atomic<int> g_children = 0, g_early = 0, g_wrong = 0;
void *volatile *g_places[3];
void *volatile *g_blocks;

__attribute__((noinline)) void *expectReachable(std::size_t size)
{
    void *volatile block = std::malloc(size);
    std::memset(block, 1, size);
    return block;
}

void **mapPlace(int flags, int advice)
{
    void *place = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (advice != 0)
        ::madvise(place, kPage, advice);
    return static_cast<void **>(place);
}

int countDescriptors()
{
    DIR *folder = ::opendir("/proc/self/fd");
    int count = 0;
    while (folder && ::readdir(folder))
        ++count;
    ::closedir(folder);
    return count;
}

/// Has children of its own, and knows each of them. Their ends send no signal: a waiting call that one meets in a stop would fail.
void watchChildren()
{
    while (!g_isOver) {
        const auto mine = static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
        if (mine == 0)
            ::_exit(0);
        int status = 0;
        for (pid_t ended = 0; ended != mine;) {
            ended = ::waitpid(-1, &status, __WALL);
            g_children += ended != mine ? 1 : 0;
        }
        g_children += ::waitpid(-1, &status, __WALL | WNOHANG) != -1 || errno != ECHILD ? 1 : 0;
        ::usleep(2000);
    }
}

void sleepInPieces()
{
    while (!g_isOver) {
        const timespec piece{0, 30'000'000};
        g_early += ::nanosleep(&piece, nullptr) != 0 ? 1 : 0;
    }
}

void waitForever(int epoll)
{
    epoll_event event;
    while (!g_isOver)
        if (::epoll_wait(epoll, &event, 1, -1) < 0)
            ++g_early;
}

/// Changes memory all the time: what it reads back is what it wrote.
void writeMemory(std::size_t thread)
{
    std::vector<std::uint64_t> memory(1u << 18);
    for (std::uint64_t round = 1; !g_isOver; ++round) {
        for (std::size_t i = 0; i < memory.size(); i += 64)
            memory[i] = round * i + thread;
        for (std::size_t i = 0; i < memory.size(); i += 64)
            g_wrong += memory[i] != round * i + thread ? 1 : 0;
        ::usleep(100);
    }
}

} // namespace

int main()
{
    g_places[0] = mapPlace(MAP_PRIVATE, MADV_DONTFORK);
    g_places[1] = mapPlace(MAP_PRIVATE, MADV_WIPEONFORK);
    g_places[2] = mapPlace(MAP_SHARED, 0);
    for (void *volatile *place : g_places)
        for (std::size_t i = 0; i < 10; ++i)
            place[i] = expectReachable(100);
    g_blocks = static_cast<void *volatile *>(expectReachable(kBlocks * sizeof(void *)));
    for (std::size_t i = 0; i < kBlocks; ++i)
        g_blocks[i] = expectReachable(8000);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return 2;
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event input{EPOLLIN, {}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &input);
    const int before = countDescriptors();
    std::vector<std::thread> threads;
    threads.emplace_back(watchChildren);
    threads.emplace_back(sleepInPieces);
    threads.emplace_back(waitForever, epoll);
    for (std::size_t i = 0; i < 2; ++i)
        threads.emplace_back(writeMemory, i);
    std::printf("reachable %zu\nready\n", 31 + kBlocks);
    std::fflush(stdout);
    char byte;
    while (::read(0, &byte, 1) < 0) { }
    g_isOver = true;
    // Whoever listens hears at once that the other end is closed, although a copy may be alive.
    ::close(ends[0]);
    pollfd other{ends[1], POLLIN, 0};
    const bool isHeard = ::poll(&other, 1, 500) == 1 && ::recv(ends[1], &byte, 1, 0) == 0;
    for (std::thread &thread : threads)
        thread.join();
    std::printf("children %d early %d wrong %d deaf %d descriptors %d\n", g_children.load(), g_early.load(),
        g_wrong.load(), isHeard ? 0 : 1, countDescriptors() + 1 - before);
    return 0;
}
