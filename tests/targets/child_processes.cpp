// SPDX-License-Identifier: GPL-3.0-or-later
// Makes children in all the ways there are. Each process prints one line when it has done its work: "truth PID ALLOCATIONS FREES". What a
// child does in its parent's memory is its parent's. Argument: which way.
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

extern char **environ;

namespace {

void *volatile g_sink;
volatile int g_done = 0; ///< work of this process, in blocks: also what a child in the same memory did
volatile int g_freed = 0;

void work(int blocks, int freed)
{
    for (int i = 0; i < blocks; ++i) {
        void *block = std::malloc(48);
        g_sink = block;
        if (i < freed)
            std::free(block);
    }
    g_done = g_done + blocks;
    g_freed = g_freed + freed;
}

/// By write alone: stdio's buffer would be copied into the children.
void tell()
{
    char line[80];
    const int bytes = std::snprintf(line, sizeof line, "truth %d %d %d\n", getpid(), g_done, g_freed);
    if (write(1, line, static_cast<std::size_t>(bytes)) != bytes)
        std::_Exit(3);
}

int waitFor(pid_t child)
{
    int status = 0;
    return waitpid(child, &status, 0) == child ? status : 1;
}

/// In a forked child: forget the parent's work, do some, and end.
[[noreturn]] void childWork(int blocks, int freed)
{
    g_done = 0;
    g_freed = 0;
    work(blocks, freed);
    tell();
    std::_Exit(0);
}

int byFork()
{
    void *inherited = std::malloc(77);
    g_sink = inherited;
    g_done = g_done + 1;
    const pid_t child = fork();
    if (child == 0) {
        std::free(inherited);
        childWork(40, 10);
    }
    const int status = waitFor(child);
    work(20, 5);
    return status;
}

/// A server that gives up root's rights, if it has them, before it makes its workers.
int byForkOfAnotherUser()
{
    constexpr uid_t kNobody = 65534;
    if (getuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0))
        return 1;
    return byFork();
}

/// Forks while other threads allocate.
int byForkAmongThreads()
{
    std::atomic<bool> isOver = false;
    std::vector<std::thread> threads;
    std::atomic<int> done = 0;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            while (!isOver) {
                void *block = std::malloc(32);
                g_sink = block;
                std::free(block);
                ++done;
            }
        });
    int status = 0;
    for (int i = 0; i < 20; ++i) {
        const pid_t child = fork();
        if (child == 0)
            childWork(30, 20);
        status |= waitFor(child);
    }
    isOver = true;
    for (std::thread &thread : threads)
        thread.join();
    g_done = g_done + done;
    g_freed = g_freed + done;
    return status;
}

int byVfork()
{
    const pid_t child = vfork();
    if (child == 0) {
        work(7, 3);
        std::_Exit(0);
    }
    return waitFor(child);
}

/// A thread that allocates for the first time in such a child, and goes on for longer than the recorder takes to see the child's end.
int byVforkFirst()
{
    int status = 1;
    std::thread([&] {
        status = byVfork();
        for (int i = 0; i < 20; ++i) {
            usleep(20'000);
            work(200, 100);
        }
        status |= byVfork();
    }).join();
    return status;
}

/// The same in a forked child, which thereby meets the recorder: the child in its memory then becomes another program.
int byForkThenVfork(const char *self)
{
    const pid_t child = fork();
    if (child == 0) {
        g_done = 0;
        g_freed = 0;
        const pid_t grandchild = vfork();
        if (grandchild == 0) {
            work(7, 3);
            execl(self, self, "chain", "0", nullptr);
            std::_Exit(1);
        }
        const int status = waitFor(grandchild);
        for (int i = 0; i < 20; ++i) {
            usleep(20'000);
            work(200, 100);
        }
        tell();
        std::_Exit(status);
    }
    return waitFor(child);
}

/// Two children in this process's memory, on stacks of their own, while it waits.
int byClone()
{
    constexpr std::size_t kStackBytes = 256 * 1024;
    int status = 0;
    for (int i = 0; i < 2; ++i) {
        std::vector<char> stack(kStackBytes);
        const pid_t child = clone(
            [](void *) {
                work(9, 4);
                return 0;
            },
            stack.data() + kStackBytes, CLONE_VM | SIGCHLD, nullptr);
        status |= child > 0 ? waitFor(child) : 1;
    }
    return status;
}

int bySpawn(const char *self)
{
    std::string program = self, which = "leaf";
    char *arguments[] = {program.data(), which.data(), nullptr};
    pid_t child = 0;
    return posix_spawn(&child, self, nullptr, nullptr, arguments, environ) == 0 ? waitFor(child) : 1;
}

/// A child that becomes three images, one after the other, and so does this process.
int byExec(const char *self)
{
    const pid_t child = fork();
    if (child == 0) {
        g_done = 0;
        g_freed = 0;
        work(3, 1);
        tell();
        execl(self, self, "chain", "2", nullptr);
        std::_Exit(1);
    }
    const int status = waitFor(child);
    tell();
    execl(self, self, "chain", "2", nullptr);
    return status + 1;
}

int chain(const char *self, int left)
{
    work(5, 2);
    tell();
    if (left > 0)
        execl(self, self, "chain", std::to_string(left - 1).c_str(), nullptr);
    return left;
}

/// A daemon: two forks and a session of its own. Its first parent waits until it is done.
int byDaemon()
{
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() != 0)
            std::_Exit(0);
        close(ends[0]);
        childWork(60, 30);
    }
    close(ends[1]);
    const int status = waitFor(child);
    char byte;
    while (read(ends[0], &byte, 1) > 0) { }
    return status;
}

int run(const std::string &which, const char *self)
{
    if (which == "fork")
        return byFork();
    if (which == "other-user")
        return byForkOfAnotherUser();
    if (which == "threads")
        return byForkAmongThreads();
    if (which == "vfork")
        return byVfork();
    if (which == "vfork-first")
        return byVforkFirst();
    if (which == "fork-vfork")
        return byForkThenVfork(self);
    if (which == "clone")
        return byClone();
    if (which == "spawn")
        return bySpawn(self);
    if (which == "daemon")
        return byDaemon();
    return which == "leaf" ? 0 : 2;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string which = argc > 1 ? argv[1] : "";
    if (which == "chain")
        return chain(argv[0], argc > 2 ? std::atoi(argv[2]) : 0);
    work(11, 1);
    if (which == "exec")
        return byExec(argv[0]);
    const int status = run(which, argv[0]);
    tell();
    return status;
}
