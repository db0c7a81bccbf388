// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that count their descriptors, close them all, or run within tight limits.
#include "tests/targets/hostile/cases.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace hostile;

namespace {

int openDescriptors()
{
    int count = -1; // the folder's own
    DIR *folder = opendir("/proc/self/fd");
    if (folder == nullptr)
        return -1;
    for (const dirent *entry = readdir(folder); entry != nullptr; entry = readdir(folder))
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    return count;
}

int exitOfChild(int (*run)())
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(run());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int countsDescriptors()
{
    churn(1000);
    const int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    const int inChild = exitOfChild([] {
        churn(100);
        return openDescriptors();
    });
    std::printf("open %d lowest %d in a child %d\n", openDescriptors(), lowest, inChild);
    return 0;
}

int closesAll()
{
    churn(100);
    close_range(3, ~0u, 0);
    int bad = churn(100);
    for (int i = 3; i < 2000; ++i)
        close(i);
    bad += churn(100);
    bad += exitOfChild([] {
        closefrom(3);
        return churn(100);
    });
    // No standard streams either: what a child opens to meet its recorder gets number 0.
    const int output = fcntl(1, F_DUPFD, 100);
    for (int i = 0; i < 3; ++i)
        close(i);
    bad += exitOfChild([] { return churn(100) + (openDescriptors() == 1 ? 0 : 1); });
    dprintf(output, "bad %d, open %d\n", bad, openDescriptors());
    return 0;
}

/// Executes this program again as another case, in a child, within a limit.
void within(int resource, const char *what, rlim_t limit, const char *which)
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const rlimit both{limit, limit};
        if (setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0)
            _exit(97);
        execl(g_self, "limits", which, nullptr);
        _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("%s %lld: %d %d\n", what, static_cast<long long>(limit), WEXITSTATUS(status), WTERMSIG(status));
}

constexpr rlim_t kMiB = 1 << 20;

int fewDescriptors()
{
    for (const rlim_t limit : {3, 4, 5, 8, 16}) {
        std::fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            const rlimit both{limit, limit};
            setrlimit(RLIMIT_NOFILE, &both);
            int opened = 0;
            while (churn(10) == 0 && open("/dev/null", O_RDONLY) >= 0)
                ++opened;
            _exit(opened);
        }
        int status = 0;
        waitpid(child, &status, 0);
        std::printf("limit %d: %d opened\n", static_cast<int>(limit), WEXITSTATUS(status));
    }
    return 0;
}

/// Allocates what it should be able to get within its limit; its exit status says how many tenths of it it got.
int fillsLimit()
{
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur == RLIM_INFINITY)
        getrlimit(RLIMIT_DATA, &limit);
    const auto tenth = static_cast<std::size_t>((limit.rlim_cur - 12 * kMiB) / 10);
    int got = 0;
    for (; got < 20; ++got) {
        char *block = static_cast<char *>(std::malloc(tenth));
        if (block == nullptr)
            break;
        block[0] = block[tenth - 1] = 1;
    }
    return got;
}

int littleAddressSpace()
{
    for (const rlim_t mebibytes : {24, 64, 150, 200, 400, 1000, 2000})
        within(RLIMIT_AS, "address space", mebibytes * kMiB, "-fills-limit");
    return 0;
}

int littleData()
{
    for (const rlim_t mebibytes : {16, 64, 300})
        within(RLIMIT_DATA, "data", mebibytes * kMiB, "-fills-limit");
    return 0;
}

/// The limit comes when the program runs already, and what it holds must be all that it needs for itself.
int addressSpaceLimitedLater()
{
    churn(1000);
    long pages = 0;
    FILE *file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%ld", &pages) != 1)
        return 1;
    std::fclose(file);
    const rlim_t limit = static_cast<rlim_t>(pages) * 4096 + 100 * kMiB;
    const rlimit both{limit, limit};
    setrlimit(RLIMIT_AS, &both);
    int got = 0;
    while (got < 100 && std::malloc(10 * kMiB) != nullptr)
        ++got;
    const int bad = churn(1000);
    std::printf("got %d times 10 MiB, bad %d\n", got, bad);
    return 0;
}

int littleStack()
{
    for (const rlim_t kibibytes : {64, 128, 1024})
        within(RLIMIT_STACK, "stack", kibibytes * 1024, "-churns");
    within(RLIMIT_STACK, "stack", RLIM_INFINITY, "-churns"); // the kernel then lays memory out from below
    return 0;
}

int churns() { return churn(5000); }

int littleEverything()
{
    within(RLIMIT_NPROC, "processes", 1, "-churns");
    within(RLIMIT_FSIZE, "file size", 0, "-churns");
    within(RLIMIT_SIGPENDING, "signals", 0, "-churns");
    within(RLIMIT_MSGQUEUE, "queues", 0, "-churns");
    within(RLIMIT_CORE, "core", 0, "-churns");
    within(RLIMIT_MEMLOCK, "locked memory", 0, "-churns");
    within(RLIMIT_NOFILE, "descriptors", 6, "-churns");
    return 0;
}

/// As a program that must not page: with all memory locked, within a limit that its own memory fits into.
int locksMemory()
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const rlimit both{64 * kMiB, 64 * kMiB};
        setrlimit(RLIMIT_MEMLOCK, &both);
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(97);
        int bad = churn(1000);
        bad += mlockall(MCL_CURRENT) == 0 ? 0 : 10;
        bad += churn(1000);
        bad += mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : 20;
        bad += churn(1000);
        _exit(bad);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("exit %d\n", WEXITSTATUS(status));
    return churn(10);
}

constexpr Case kCases[] = {
    {"counts-descriptors", countsDescriptors},
    {"closes-all", closesAll},
    {"few-descriptors", fewDescriptors},
    {"-fills-limit", fillsLimit},
    {"little-address-space", littleAddressSpace},
    {"little-data", littleData},
    {"address-space-limited-later", addressSpaceLimitedLater},
    {"little-stack", littleStack},
    {"-churns", churns},
    {"little-everything", littleEverything},
    {"locks-memory", locksMemory},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
