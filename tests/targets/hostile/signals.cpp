// SPDX-License-Identifier: GPL-3.0-or-later
// Signals at bad moments, on odd stacks, and handlers that allocate or never return.
#include "tests/targets/hostile/cases.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <ctime>
#include <thread>
#include <vector>

using namespace hostile;

namespace {

volatile sig_atomic_t g_signals = 0;
volatile sig_atomic_t g_bad = 0;
sigjmp_buf g_back;

void allocateInHandler(int)
{
    g_bad = g_bad + churn(20);
    g_signals = g_signals + 1;
}

void handle(int signal, void (*handler)(int), int flags = 0)
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

int handlerAllocates()
{
    handle(SIGUSR1, allocateInHandler);
    int bad = 0;
    for (int i = 0; i < 2000; ++i) {
        bad += churn(3);
        raise(SIGUSR1);
    }
    std::printf("signals %d bad %d\n", static_cast<int>(g_signals), bad + g_bad);
    return 0;
}

/// The handler comes at any instruction of a thread that is not in the allocator.
int timerAllocates()
{
    handle(SIGALRM, allocateInHandler, SA_RESTART);
    itimerval timer{};
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 200;
    setitimer(ITIMER_REAL, &timer, nullptr);
    while (g_signals < 1000) { }
    timer = {};
    setitimer(ITIMER_REAL, &timer, nullptr);
    std::printf("bad %d\n", static_cast<int>(g_bad));
    return 0;
}

/// The handler leaves errno and the allocator alone, but interrupts a thread that is in it all the time.
int timerInterruptsAllocations()
{
    handle(SIGALRM, [](int) { g_signals = g_signals + 1; });
    itimerval timer{};
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 500;
    setitimer(ITIMER_REAL, &timer, nullptr);
    int bad = 0;
    while (g_signals < 100)
        bad += churn(1000);
    timer = {};
    setitimer(ITIMER_REAL, &timer, nullptr);
    std::printf("bad %d\n", bad);
    return 0;
}

std::size_t leastSignalStack()
{
    const long least = sysconf(_SC_MINSIGSTKSZ);
    return static_cast<std::size_t>(least > 0 ? least : 4096) + 8192;
}

/// As small a signal stack as malloc itself can be called on, with a page below it that nobody may touch.
void useAlternateStack()
{
    const std::size_t bytes = (leastSignalStack() + 4095) & ~std::size_t{4095};
    char *area = static_cast<char *>(mmap(nullptr, bytes + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(area + 4096, bytes, PROT_READ | PROT_WRITE);
    stack_t stack{};
    stack.ss_sp = area + 4096;
    stack.ss_size = bytes;
    sigaltstack(&stack, nullptr);
}

int alternateStack()
{
    useAlternateStack();
    handle(SIGUSR1, allocateInHandler, SA_ONSTACK);
    for (int i = 0; i < 500; ++i) {
        raise(SIGUSR1);
        g_bad = g_bad + churn(10);
    }
    std::printf("signals %d bad %d\n", static_cast<int>(g_signals), static_cast<int>(g_bad));
    return 0;
}

/// Has never allocated when the signal comes: the tracer meets its recorder on the small stack.
int alternateStackAtFirst()
{
    const pid_t child = fork();
    if (child == 0) {
        useAlternateStack();
        handle(SIGUSR1, allocateInHandler, SA_ONSTACK);
        raise(SIGUSR1);
        _exit(g_bad);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("status %d\n", status);
    return 0;
}

int overflow(int depth)
{
    volatile char frame[1024];
    frame[0] = static_cast<char>(depth);
    void *block = std::malloc(64);
    g_sink = block;
    std::free(block);
    return depth == -1 ? 0 : overflow(depth + 1) + frame[0];
}

/// Recovers from stack overflows, as interpreters do; the allocator itself may be what overflows the stack.
int overflowIsCaught()
{
    useAlternateStack();
    handle(
        SIGSEGV, [](int) { siglongjmp(g_back, 1); }, SA_ONSTACK);
    volatile int caught = 0, tries = 0;
    while (tries < 5) {
        tries = tries + 1;
        const pid_t child = fork();
        if (child == 0) {
            if (sigsetjmp(g_back, 1) == 0)
                _exit(overflow(0) == 0);
            _exit(7);
        }
        int status = 0;
        waitpid(child, &status, 0);
        caught = caught + (WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 1 : 0);
    }
    std::printf("caught %d\n", static_cast<int>(caught));
    return 0;
}

int handlerJumpsOut()
{
    handle(SIGUSR1, [](int) {
        g_bad = g_bad + churn(5);
        siglongjmp(g_back, 1);
    });
    volatile int jumps = 0, bad = 0;
    while (jumps < 2000) {
        if (sigsetjmp(g_back, 1) == 0)
            raise(SIGUSR1);
        jumps = jumps + 1;
        bad = bad + churn(5);
    }
    std::printf("jumps %d bad %d\n", static_cast<int>(jumps), static_cast<int>(bad + g_bad));
    return 0;
}

int handlerForks()
{
    handle(SIGUSR1, [](int) {
        const pid_t child = fork();
        if (child == 0)
            _exit(churn(50) == 0 ? 3 : 1);
        int status = 0;
        waitpid(child, &status, 0);
        g_bad = g_bad + (WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 0 : 1);
    });
    for (int i = 0; i < 20; ++i)
        raise(SIGUSR1);
    std::printf("bad %d\n", static_cast<int>(g_bad));
    return 0;
}

/// The child comes back to wherever the signal was taken, in the allocator too, and goes on.
int timerForks()
{
    static volatile sig_atomic_t isChild = 0;
    constexpr int kChildren = 200;
    handle(
        SIGALRM,
        [](int) {
            if (isChild || g_signals == kChildren)
                return;
            g_signals = g_signals + 1;
            isChild = fork() == 0;
        },
        SA_RESTART);
    itimerval timer{};
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
    int bad = 0;
    while (g_signals < kChildren) {
        bad += churn(20);
        if (isChild)
            _exit(bad + churn(200) == 0 ? 3 : 1);
    }
    int well = 0, status = 0;
    for (pid_t child = 0; (child = wait(&status)) > 0 || errno == EINTR;)
        well += child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 3 ? 1 : 0;
    std::printf("ended well %d bad %d\n", well, bad);
    return 0;
}

/// What the program knows of its signals is what it set up itself, in new threads too.
int masksAreItsOwn()
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
    raise(SIGUSR2);
    int differences = churn(1000);
    const auto compare = [&] {
        churn(100);
        sigset_t now, pending;
        pthread_sigmask(SIG_SETMASK, nullptr, &now);
        sigpending(&pending);
        for (int i = 1; i < 65; ++i)
            differences += sigismember(&now, i) != (i == SIGUSR2) || sigismember(&pending, i) != (i == SIGUSR2);
    };
    compare();
    std::thread(compare).join();
    for (int i = 1; i < 65; ++i) {
        struct sigaction action = {};
        if (sigaction(i, nullptr, &action) == 0 && action.sa_handler != SIG_DFL)
            std::printf("signal %d is not at its default\n", i);
    }
    std::printf("differences %d\n", differences);
    return 0;
}

/// No thread that the program did not make, and no call that ends early.
int sleepsAreWhole()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([] { churn(200'000); });
    int failed = 0;
    for (int i = 0; i < 20; ++i) {
        const timespec wait{0, 2'000'000};
        failed += nanosleep(&wait, nullptr) != 0;
    }
    for (std::thread &thread : threads)
        thread.join();
    int tasks = 0;
    DIR *folder = opendir("/proc/self/task");
    for (const dirent *entry = readdir(folder); entry != nullptr; entry = readdir(folder))
        tasks += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    std::printf("failed %d tasks %d\n", failed, tasks);
    return 0;
}

constexpr Case kCases[] = {
    {"handler-allocates", handlerAllocates},
    {"timer-allocates", timerAllocates},
    {"timer-interrupts-allocations", timerInterruptsAllocations},
    {"alternate-stack", alternateStack},
    {"alternate-stack-at-first", alternateStackAtFirst},
    {"overflow-is-caught", overflowIsCaught},
    {"handler-jumps-out", handlerJumpsOut},
    {"handler-forks", handlerForks},
    {"timer-forks", timerForks},
    {"masks-are-its-own", masksAreItsOwn},
    {"sleeps-are-whole", sleepsAreWhole},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
