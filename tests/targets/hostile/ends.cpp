// SPDX-License-Identifier: GPL-3.0-or-later
// All ways to end, and allocations before and after everything else.
#include "tests/targets/hostile/cases.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

using namespace hostile;

namespace {

bool g_isLate = false; ///< say what the latest destructors find

[[gnu::constructor(101)]] void beforeAll() { churn(100); }
[[gnu::destructor(101)]] void afterAll()
{
    const int bad = churn(100);
    if (g_isLate)
        dprintf(1, "after all: bad %d\n", bad);
}

struct Early
{
    std::string text = std::string(1000, 'x');
    ~Early()
    {
        if (g_isLate)
            dprintf(1, "early %d\n", churn(100) + static_cast<int>(text.size()));
    }
};
Early g_early __attribute__((init_priority(150)));

int returns() { return churn(1000) + 7; }

int returns255() { return churn(1000) + 255; }

int lateWork()
{
    g_isLate = true;
    std::atexit([] { dprintf(1, "at exit: bad %d\n", churn(1000)); });
    on_exit([](int status, void *block) { dprintf(1, "on exit %d\n", status), std::free(block); }, std::malloc(5000));
    churn(1000);
    return 3;
}

int quickExit()
{
    std::at_quick_exit([] { dprintf(1, "quick: bad %d\n", churn(1000)); });
    churn(1000);
    std::quick_exit(8);
}

int exitsAtOnce()
{
    churn(1000);
    std::printf("not flushed");
    _exit(9);
}

int rawExit()
{
    churn(1000);
    syscall(SYS_exit_group, 10);
    return 0;
}

int exitsFromThread()
{
    std::thread([] {
        churn(1000);
        std::exit(11);
    }).join();
    return 0;
}

void noCore()
{
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

int aborts()
{
    noCore();
    churn(1000);
    std::abort();
}

int segfaults()
{
    noCore();
    churn(1000);
    raise(SIGSEGV);
    return 0;
}

int killed()
{
    churn(1000);
    kill(getpid(), SIGKILL);
    return 0;
}

int terminated()
{
    churn(1000);
    raise(SIGTERM);
    return 0;
}

int brokenPipe()
{
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    close(ends[0]);
    churn(1000);
    return static_cast<int>(write(ends[1], "x", 1));
}

/// glibc says what is wrong with its heap, and aborts: the same words as without a tracer.
int freesTwice()
{
    noCore();
    churn(10);
    void *block = std::malloc(24);
    std::free(block);
    g_sink = block;
    std::free(g_sink);
    return 0;
}

int freesNonsense()
{
    noCore();
    churn(10);
    static char area[64];
    g_sink = area + 8;
    std::free(g_sink);
    return 0;
}

int uncaught()
{
    noCore();
    churn(1000);
    throw 5;
}

constexpr Case kCases[] = {
    {"returns", returns},
    {"returns-255", returns255},
    {"late-work", lateWork},
    {"quick-exit", quickExit},
    {"exits-at-once", exitsAtOnce},
    {"raw-exit", rawExit},
    {"exits-from-thread", exitsFromThread},
    {"aborts", aborts},
    {"segfaults", segfaults},
    {"killed", killed},
    {"terminated", terminated},
    {"broken-pipe", brokenPipe},
    {"frees-twice", freesTwice},
    {"frees-nonsense", freesNonsense},
    {"uncaught", uncaught},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
