// SPDX-License-Identifier: GPL-3.0-or-later
// A program to attach to while its only thread waits. It waits for lines on its stdin by the system call that its argument names:
// epoll (without limit), epoll_limit, poll, ppoll, select, sleep (looks every 50 ms), read. "go N" allocates and frees N blocks: "done".
// With a FIFO after "epoll", another thread waits in vfork, where nobody can stop it, until its child has got a byte from there: "went on".
// handler (in a signal handler, for the first line), constructor (in that of a library that it loads, likewise), pool or own pool (in the
// malloc of attach_pool.c, likewise), coroutine (on a stack in a block of the heap, likewise; "overwritten" if what is below has changed),
// then by read.
// "quit" ends it: "bye interrupted I short S masks M": I calls failed with EINTR, S sleeps were too short, M times the signal mask was wrong.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kBlockBytes = 32 * 1024;
ucontext_t g_main, g_coroutine;
char *g_block = nullptr;

int g_epoll = -1;
long g_interrupted = 0, g_short = 0, g_masks = 0;

double now()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The thread blocks SIGWINCH, and nothing else, but while it waits in ppoll.
bool isMaskMine()
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    int blocked = 0;
    for (int signal = 1; signal < 32; ++signal)
        blocked += sigismember(&mask, signal);
    return blocked == 1 && sigismember(&mask, SIGWINCH) == 1;
}

/// Positive: there is input. −1 with errno: failed.
int waitBy(const char *call)
{
    epoll_event event{};
    if (strcmp(call, "epoll") == 0)
        return epoll_wait(g_epoll, &event, 1, -1);
    if (strcmp(call, "epoll_limit") == 0)
        return epoll_wait(g_epoll, &event, 1, 60'000);
    pollfd polled{0, POLLIN, 0};
    if (strcmp(call, "poll") == 0)
        return poll(&polled, 1, 60'000);
    if (strcmp(call, "ppoll") == 0) {
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR2);
        const timespec limit{60, 0};
        return ppoll(&polled, 1, &limit, &mask);
    }
    if (strcmp(call, "select") == 0) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(0, &set);
        timeval limit{60, 0};
        return select(1, &set, nullptr, nullptr, &limit);
    }
    if (strcmp(call, "sleep") == 0) {
        const double begin = now();
        const timespec wait{0, 50'000'000};
        const int result = nanosleep(&wait, nullptr);
        g_short += now() - begin < 0.0499 ? 1 : 0;
        return result < 0 ? -1 : poll(&polled, 1, 0);
    }
    return 1; // read() waits
}

void waitInHandler(int)
{
    pollfd polled{0, POLLIN, 0};
    poll(&polled, 1, -1);
}

/// What is further down than poll() gets belongs to others.
void waitInCoroutine()
{
    pollfd polled{0, POLLIN, 0};
    poll(&polled, 1, 0); // binds it, which takes stack
    const char *const end = static_cast<const char *>(__builtin_frame_address(0)) - 600;
    for (volatile char *at = g_block; at < end; ++at)
        *at = 0x5a;
    poll(&polled, 1, -1);
    bool isIntact = true;
    for (const volatile char *at = g_block; at < end; ++at)
        isIntact = isIntact && *at == 0x5a;
    if (!isIntact)
        puts("overwritten");
}

/// Waits for the first line in a place where nobody may borrow the thread.
void waitUnsafely(const char *call, const char *library)
{
    if (strcmp(call, "handler") == 0) {
        signal(SIGUSR1, waitInHandler);
        raise(SIGUSR1);
    } else if (strcmp(call, "pool") == 0 || strcmp(call, "own pool") == 0) {
        void *volatile block = malloc(77777);
        free(block);
    } else if (strcmp(call, "coroutine") == 0) {
        g_block = static_cast<char *>(malloc(kBlockBytes));
        getcontext(&g_coroutine);
        g_coroutine.uc_stack.ss_sp = g_block;
        g_coroutine.uc_stack.ss_size = kBlockBytes;
        g_coroutine.uc_link = &g_main;
        makecontext(&g_coroutine, waitInCoroutine, 0);
        swapcontext(&g_main, &g_coroutine);
        free(g_block);
    } else if (strcmp(call, "constructor") == 0 && library != nullptr) {
#ifndef GENESIS_STATIC
        dlopen(library, RTLD_NOW);
#endif
    }
}

void *waitInVfork(void *fifo)
{
    if (vfork() == 0) {
        char byte;
        const int file = open(static_cast<const char *>(fifo), O_RDONLY);
        _exit(read(file, &byte, 1) == 1 ? 0 : 1);
    }
    puts("went on");
    return nullptr;
}

void allocate(long blocks)
{
    for (long i = 0; i < blocks; ++i) {
        void *volatile block = malloc(100);
        free(block);
    }
}

} // namespace

int main(int argc, char **argv)
{
    static char output[256];
    setvbuf(stdout, output, _IOLBF, sizeof output);
    g_epoll = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(g_epoll, EPOLL_CTL_ADD, 0, &event);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGWINCH);
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    puts("ready");
    pthread_t other;
    if (strcmp(argv[1], "epoll") == 0 && argc > 2 && pthread_create(&other, nullptr, waitInVfork, argv[2]) == 0)
        pthread_detach(other);
    waitUnsafely(argv[1], argc > 2 ? argv[2] : nullptr);
    for (;;) {
        const int ready = waitBy(argv[1]);
        g_masks += isMaskMine() ? 0 : 1;
        if (ready < 0 && errno == EINTR)
            ++g_interrupted;
        if (ready <= 0)
            continue;
        char line[64] = {};
        const ssize_t got = read(0, line, sizeof line - 1);
        if (got < 0 && errno == EINTR)
            ++g_interrupted;
        if (got == 0 || strncmp(line, "quit", 4) == 0)
            break;
        if (strncmp(line, "go ", 3) == 0) {
            allocate(atol(line + 3));
            puts("done");
        }
    }
    printf("bye interrupted %ld short %ld masks %ld\n", g_interrupted, g_short, g_masks);
    return 0;
}
