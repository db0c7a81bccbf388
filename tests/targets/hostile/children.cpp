// SPDX-License-Identifier: GPL-3.0-or-later
// Children made in numbers, from threads, by hand, and in namespaces of their own.
#include "tests/targets/hostile/cases.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <vector>

using namespace hostile;

extern char **environ;

namespace {

/// 0 if the child ended with `wanted`.
int expectExit(pid_t child, int wanted)
{
    int status = 0;
    if (child <= 0 || waitpid(child, &status, 0) != child)
        return 1;
    return WIFEXITED(status) && WEXITSTATUS(status) == wanted ? 0 : 1;
}

int forkStorm()
{
    std::atomic<int> bad = 0, forks = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 15; ++j) {
                bad += churn(50);
                const pid_t child = fork();
                if (child == 0)
                    _exit(churn(30) == 0 ? 3 : 1);
                bad += expectExit(child, 3);
                ++forks;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    std::printf("forks %d bad %d\n", forks.load(), bad.load());
    return 0;
}

int generations()
{
    int depth = 0;
    for (; depth < 20; ++depth) {
        const pid_t child = fork();
        if (child != 0) {
            int status = 0;
            waitpid(child, &status, 0);
            const int below = WIFEXITED(status) ? WEXITSTATUS(status) : 100;
            if (depth > 0)
                _exit(churn(10) == 0 ? below + 1 : 100);
            std::printf("generations %d\n", below + 1);
            return 0;
        }
        churn(100);
    }
    _exit(0);
}

/// Without libc, which then runs no handler of pthread_atfork.
int rawFork()
{
    int bad = 0;
    for (int i = 0; i < 20; ++i) {
        bad += churn(20);
        const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
        if (child == 0)
            syscall(SYS_exit_group, churn(20) == 0 ? 3 : 1);
        bad += expectExit(child, 3);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

/// In the parent's memory, on a stack of its own; the parent waits.
int cloneInSameMemory()
{
    static int childBad = 0;
    constexpr std::size_t kBytes = 64 * 1024;
    std::vector<char> stack(kBytes);
    int bad = 0;
    for (int i = 0; i < 50; ++i) {
        const pid_t child = clone(
            [](void *) {
                childBad += churn(40);
                return 3;
            },
            stack.data() + kBytes, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
        bad += expectExit(child, 3) + churn(10);
    }
    std::printf("bad %d\n", bad + childBad);
    return 0;
}

int vforkAndExec()
{
    int bad = 0;
    for (int i = 0; i < 30; ++i) {
        bad += churn(20);
        const pid_t child = vfork();
        if (child == 0) {
            execl(g_self, "children", "-child", nullptr);
            _exit(98);
        }
        bad += expectExit(child, 3);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

int spawnFromThreads()
{
    std::atomic<int> bad = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 8; ++j) {
                bad += churn(30);
                char name[] = "children", which[] = "-child";
                char *arguments[] = {name, which, nullptr};
                pid_t child = 0;
                bad += posix_spawn(&child, g_self, nullptr, nullptr, arguments, environ) == 0 ? expectExit(child, 3)
                                                                                              : 1;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    std::printf("bad %d\n", bad.load());
    return 0;
}

int child() { return churn(20) == 0 ? 3 : 1; }

int shells()
{
    std::fflush(stdout);
    int bad = system("echo one; echo two | cat; exit 4") == 4 << 8 ? 0 : 1;
    FILE *pipe = popen("printf three", "r");
    char text[16] = {};
    bad += std::fread(text, 1, sizeof text, pipe) == 5 && std::strcmp(text, "three") == 0 ? 0 : 1;
    bad += pclose(pipe);
    std::printf("bad %d\n", bad);
    return 0;
}

void allocateAtFork() { g_sink = std::malloc(100), std::free(g_sink); }

int forkHandlersAllocate()
{
    pthread_atfork(allocateAtFork, allocateAtFork, allocateAtFork);
    int bad = 0;
    for (int i = 0; i < 20; ++i) {
        const pid_t pid = fork();
        if (pid == 0)
            _exit(churn(20) == 0 ? 3 : 1);
        bad += expectExit(pid, 3);
    }
    std::printf("bad %d\n", bad);
    return 0;
}

/// The program has no children but those it made: neither the tracer nor the recorder gives it any.
int childrenAreItsOwn()
{
    churn(100);
    const bool hasNone = waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 5; ++i)
        if (fork() == 0)
            _exit(churn(10));
    while (waitpid(-1, nullptr, 0) > 0) { }
    std::printf("none at first %d, none in the end %d\n", hasNone, errno == ECHILD);
    return 0;
}

/// A new process id space, in which the child is number 1, with mounts, network and users of its own where that is allowed.
int namespaces()
{
    int bad = 0;
    for (const int flags : {0, CLONE_NEWPID, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWUSER}) {
        const pid_t outer = fork();
        if (outer == 0) {
            if (unshare(flags) != 0)
                _exit(3); // not allowed here
            const pid_t inner = fork();
            if (inner == 0) {
                const int churned = churn(100);
                const pid_t last = fork();
                if (last == 0)
                    _exit(churn(100) == 0 ? 3 : 1);
                _exit(expectExit(last, 3) + churned == 0 ? 3 : 1);
            }
            _exit(expectExit(inner, 3) == 0 ? 3 : 1);
        }
        bad += expectExit(outer, 3);
    }
    churn(10);
    std::printf("bad %d\n", bad);
    return 0;
}

void *forkInThread(void *)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(churn(50) == 0 ? 3 : 1);
    return reinterpret_cast<void *>(static_cast<long>(expectExit(pid, 3)));
}

/// The child meets the recorder on the smallest stack that a thread can have.
int forkOnSmallestStack()
{
    const auto bytes = static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, bytes);
    long bad = churn(10);
    for (int i = 0; i < 20; ++i) {
        pthread_t thread;
        void *result = nullptr;
        bad += pthread_create(&thread, &attributes, forkInThread, nullptr);
        pthread_join(thread, &result);
        bad += reinterpret_cast<long>(result);
    }
    std::printf("bad %ld\n", bad);
    return 0;
}

constexpr Case kCases[] = {
    {"fork-storm", forkStorm},
    {"generations", generations},
    {"raw-fork", rawFork},
    {"clone-in-same-memory", cloneInSameMemory},
    {"vfork-and-exec", vforkAndExec},
    {"spawn-from-threads", spawnFromThreads},
    {"-child", child},
    {"shells", shells},
    {"fork-handlers-allocate", forkHandlersAllocate},
    {"children-are-its-own", childrenAreItsOwn},
    {"namespaces", namespaces},
    {"fork-on-smallest-stack", forkOnSmallestStack},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
