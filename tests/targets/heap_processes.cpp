// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that fork, exec, die and end in ways that a tracer can get wrong. Each prints what it did. Argument: which.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void *volatile g_sink;

void *make(std::size_t size)
{
    void *block = std::malloc(size);
    g_sink = block;
    return block;
}

/// The parent makes 100 blocks; the child frees 40 of them, makes 30 and frees 10 of those; the parent frees 50.
int forkTruth()
{
    void *blocks[100];
    for (void *&block : blocks)
        block = make(50);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 40; ++i)
            std::free(blocks[i]);
        void *own[30];
        for (void *&block : own)
            block = make(70);
        for (int i = 0; i < 10; ++i)
            std::free(own[i]);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    for (int i = 0; i < 50; ++i)
        std::free(blocks[i]);
    return status;
}

/// Makes `left` blocks, then becomes a new image that makes one less.
int execChain(const char *self, int left)
{
    for (int i = 0; i < left; ++i)
        make(10);
    if (left <= 1)
        return 0;
    const std::string next = std::to_string(left - 1);
    execl(self, self, "exec", next.c_str(), nullptr);
    return 1;
}

/// Says how much it has done, and waits to be killed.
int waitForDeath()
{
    for (int i = 0; i < 100000; ++i) {
        void *block = make(24);
        if (i % 2 == 0)
            std::free(block);
    }
    static const char kLine[] = "truth allocations 100000 frees 50000\n";
    if (write(1, kLine, sizeof kLine - 1) < 0)
        return 1;
    for (;;)
        pause();
}

/// Says that it has begun, then goes on for long after its listener may be gone.
int outliveListener()
{
    make(10);
    static const char kLine[] = "begun\n";
    if (write(1, kLine, sizeof kLine - 1) < 0)
        return 1;
    usleep(100'000);
    for (int i = 0; i < 300000; ++i)
        std::free(make(24));
    return 0;
}

/// Maps 8 MiB, forks twice and ends. What is left says who it is, and makes its first block when SIGUSR1 comes; then it waits to be killed.
int becomeDaemon()
{
    sigset_t word;
    sigemptyset(&word);
    sigaddset(&word, SIGUSR1);
    sigprocmask(SIG_BLOCK, &word, nullptr);
    if (mmap(nullptr, std::size_t{8} << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        return 1;
    const pid_t child = fork();
    if (child != 0) {
        int status = 0;
        waitpid(child, &status, 0);
        return status;
    }
    if (fork() != 0)
        _exit(0);
    alarm(60);
    char line[32];
    std::snprintf(line, sizeof line, "%d\n", static_cast<int>(getpid()));
    int number = 0;
    if (write(1, line, std::strlen(line)) < 0 || sigwait(&word, &number) != 0)
        return 1;
    make(10);
    if (write(1, "done\n", 5) < 0)
        return 1;
    for (;;)
        pause();
}

/// Ends without any clean-up, a few milliseconds after it began.
int exitAtOnce()
{
    for (int i = 0; i < 10; ++i)
        make(10);
    _exit(0);
}

} // namespace

int main(int argc, char **argv)
{
    const std::string which = argc > 1 ? argv[1] : "";
    if (which == "fork")
        return forkTruth();
    if (which == "exec")
        return execChain(argv[0], argc > 2 ? std::atoi(argv[2]) : 3);
    if (which == "killed")
        return waitForDeath();
    if (which == "outlive")
        return outliveListener();
    if (which == "daemon")
        return becomeDaemon();
    if (which == "at-once")
        return exitAtOnce();
    return 2;
}
