// SPDX-License-Identifier: GPL-3.0-or-later
// A server to attach to that has its children already, as those of nginx or PostgreSQL: CHILDREN forked ones, the first of which has one of its
// own, each with THREADS threads that wait for work. It does what lines on its stdin say, in every process, and answers each with a line:
//   go N       every thread but the main one makes and frees N blocks, by malloc, calloc and realloc, and keeps one:
//              "done PID:ALLOCATIONS:FREES …", the parent, which does the same on its main thread, first
//   burn MS    every thread of the children burns so much CPU time: "burnt PID:MICROSECONDS …", the parent's none
//   call N     every thread of the children makes N system calls: "called PID:CALLS …"
//   churn      each child starts children all the time that make and free blocks and end; "quiet" ends that
//   drop       the last child ends: "dropped"
//   quit       "bye ERRORS"
// Arguments: CHILDREN THREADS [PROGRAM ARGUMENT…]; PROGRAM is run by one more child.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kMostProcesses = 256, kMostThreads = 8;

enum class Work : int { Go, Burn, Call, Quit };

/// Of one process; shared with the parent.
struct Slot
{
    std::atomic<int> pid;
    std::atomic<int> roundsDone;
    std::atomic<long> allocations, frees, microseconds, calls, errors;
};

/// Shared by all.
struct Board
{
    std::atomic<int> round;
    std::atomic<bool> isChurning;
    Work work;
    long amount;
    Slot slots[kMostProcesses];
};

Board *g_board = nullptr;
Slot *g_slot = nullptr; // ours
int g_threads = 1;
pthread_barrier_t g_begin, g_end;
void *g_kept[kMostThreads + 1];

void pause(long microseconds)
{
    const timespec wait{0, microseconds * 1000};
    nanosleep(&wait, nullptr);
}

void operate()
{
    auto *a = static_cast<unsigned char *>(malloc(40));
    memset(a, 3, 40);
    void *b = calloc(3, 16);
    a = static_cast<unsigned char *>(realloc(a, 400));
    if (a[0] != 3 || a[39] != 3)
        ++g_slot->errors;
    free(b);
    free(a);
}

void go(int thread, long operations)
{
    for (long i = operations; i > 0; --i)
        operate();
    g_kept[thread] = malloc(24);
    g_slot->allocations += operations * 3 + 1;
    g_slot->frees += operations * 3;
}

long threadCpuUs()
{
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

__attribute__((noinline)) void burn(long milliseconds)
{
    const long begin = threadCpuUs();
    volatile unsigned long x = 1;
    while (threadCpuUs() - begin < milliseconds * 1000)
        for (int i = 0; i < 20000; ++i)
            x = x * 3 + 1;
    g_slot->microseconds += threadCpuUs() - begin;
}

void call(long count)
{
    // So slowly that the recorder takes each one, and has to estimate none.
    for (long i = 0; i < count; ++i) {
        syscall(SYS_getppid);
        if (i % 4 == 0)
            pause(1000);
    }
    g_slot->calls += count;
}

void *workForEver(void *argument)
{
    const int thread = static_cast<int>(reinterpret_cast<long>(argument));
    for (;;) {
        pthread_barrier_wait(&g_begin);
        switch (g_board->work) {
        case Work::Go:
            go(thread, g_board->amount);
            break;
        case Work::Burn:
            burn(g_board->amount);
            break;
        case Work::Call:
            call(g_board->amount);
            break;
        case Work::Quit:
            break;
        }
        pthread_barrier_wait(&g_end);
    }
}

void churnOnce()
{
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; ++i)
            operate();
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

[[noreturn]] void serve(int number)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    g_slot = &g_board->slots[number];
    pthread_barrier_init(&g_begin, nullptr, static_cast<unsigned>(g_threads) + 1);
    pthread_barrier_init(&g_end, nullptr, static_cast<unsigned>(g_threads) + 1);
    pthread_t thread;
    for (long i = 0; i < g_threads; ++i)
        pthread_create(&thread, nullptr, workForEver, reinterpret_cast<void *>(i));
    g_slot->pid = getpid();
    for (int round = 0; g_board->work != Work::Quit || g_board->round == 0;) {
        if (g_board->round == round) {
            if (g_board->isChurning)
                churnOnce();
            pause(500);
            continue;
        }
        round = g_board->round;
        if (g_board->work == Work::Quit)
            break;
        pthread_barrier_wait(&g_begin);
        pthread_barrier_wait(&g_end);
        g_slot->roundsDone = round;
    }
    _exit(0);
}

void answer(const char *word, int processes, std::atomic<long> Slot::*first, std::atomic<long> Slot::*second)
{
    printf("%s", word);
    for (int i = 0; i < processes; ++i) {
        Slot &slot = g_board->slots[i];
        if (slot.pid == 0)
            continue;
        printf(" %d:%ld", slot.pid.load(), (slot.*first).exchange(0));
        if (second)
            printf(":%ld", (slot.*second).exchange(0));
    }
    printf("\n");
}

void order(Work work, long amount, int processes)
{
    g_board->work = work;
    g_board->amount = amount;
    const int round = ++g_board->round;
    for (int i = 1; i < processes && work != Work::Quit; ++i)
        while (g_board->slots[i].pid != 0 && g_board->slots[i].roundsDone != round)
            pause(500);
}

void obey(char *line, int processes)
{
    char *amount = strchr(line, ' ');
    const long number = amount ? atol(amount) : 0;
    if (strncmp(line, "go ", 3) == 0) {
        go(0, number);
        order(Work::Go, number, processes);
        answer("done", processes, &Slot::allocations, &Slot::frees);
    } else if (strncmp(line, "burn ", 5) == 0) {
        order(Work::Burn, number, processes);
        answer("burnt", processes, &Slot::microseconds, nullptr);
    } else if (strncmp(line, "call ", 5) == 0) {
        order(Work::Call, number, processes);
        answer("called", processes, &Slot::calls, nullptr);
    } else if (strcmp(line, "churn") == 0 || strcmp(line, "quiet") == 0) {
        g_board->isChurning = line[0] == 'c';
        puts(line);
    } else if (strcmp(line, "drop") == 0) {
        const pid_t last = g_board->slots[processes - 2].pid.exchange(0);
        kill(last, SIGKILL);
        waitpid(last, nullptr, 0);
        puts("dropped");
    }
}

/// By single bytes, so that nothing is allocated.
bool readLine(char *line, std::size_t size)
{
    for (std::size_t i = 0; i + 1 < size; ++i) {
        if (read(0, line + i, 1) != 1)
            return false;
        if (line[i] == '\n') {
            line[i] = 0;
            return true;
        }
    }
    return false;
}

} // namespace

int main(int argc, char **argv)
{
    static char output[1 << 16];
    setvbuf(stdout, output, _IOLBF, sizeof output);
    const int children = argc > 1 ? atoi(argv[1]) : 2;
    g_threads = argc > 2 ? atoi(argv[2]) : 1;
    const int processes = children + 2; // this one, and the child's child
    if (processes > kMostProcesses || g_threads > kMostThreads || children < 1)
        return 2;
    void *shared = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_board = static_cast<Board *>(shared);
    g_slot = &g_board->slots[0];
    g_slot->pid = getpid();
    for (int i = 1; i <= children; ++i) {
        if (fork() != 0)
            continue;
        if (i == 1 && fork() == 0)
            serve(children + 1);
        serve(i);
    }
    if (argc > 3 && fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    for (int i = 1; i < processes; ++i)
        while (g_board->slots[i].pid == 0)
            pause(500);
    puts("ready");
    char line[512];
    while (readLine(line, sizeof line) && strcmp(line, "quit") != 0)
        obey(line, processes);
    order(Work::Quit, 0, processes);
    while (wait(nullptr) > 0) { }
    long errors = 0;
    for (const Slot &slot : g_board->slots)
        errors += slot.errors;
    printf("bye %ld\n", errors);
    return errors == 0 ? 0 : 1;
}
