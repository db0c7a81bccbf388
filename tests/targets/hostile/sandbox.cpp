// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that give up rights: system calls, files, users, their environment.
#include "tests/targets/hostile/cases.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

using namespace hostile;

namespace {

/// How `run` ended in a child: its exit status, or 1000 and the signal.
int endOf(int (*run)())
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(run());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// Only these system calls from now on; any other one kills the process.
bool allowOnly(std::initializer_list<unsigned> calls)
{
    std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    for (const unsigned call : calls) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// read, write and exit alone: glibc's malloc needs no more as long as its arena lasts.
int strictMode()
{
    const auto run = [] {
        std::free(std::malloc(1 << 16)); // the arena
        churn(1000);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            return 97;
        const int bad = churn(300'000);
        syscall(SYS_exit, bad);
        return 96;
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

/// The processor's time stamp counter is forbidden: to read it is a segmentation fault.
int noTimeStamps()
{
    const auto run = [] {
        int bad = churn(1000);
        if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
            return 97;
        bad += churn(10'000);
        bad += endOf([] { return churn(1000); });
        execl(g_self, "sandbox", "-churns", nullptr);
        return bad + 90;
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

/// What malloc may need, and nothing else.
int filterForMalloc()
{
    const auto run = [] {
        if (!allowOnly({SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_exit_group, SYS_write}))
            return 97;
        return churn(300'000);
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

void *churnInThread(void *) { return reinterpret_cast<void *>(static_cast<long>(churn(20'000))); }

/// And what a thread needs.
int filterForThreads()
{
    const auto run = [] {
        mallopt(M_ARENA_MAX, 1); // else malloc reads the number of processors in a file
        if (!allowOnly({SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_exit_group, SYS_exit,
                SYS_clone3, SYS_clone, SYS_rseq, SYS_set_robust_list, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_futex}))
            return 97;
        long bad = 0;
        for (int i = 0; i < 20; ++i) {
            pthread_t thread;
            void *result = nullptr;
            bad += pthread_create(&thread, nullptr, churnInThread, nullptr);
            pthread_join(thread, &result);
            bad += reinterpret_cast<long>(result);
        }
        return static_cast<int>(bad);
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

/// And what a child needs; set by the other call.
int filterForChildren()
{
    const auto run = [] {
        std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
        for (const unsigned call : {SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_exit_group, SYS_clone, SYS_clone3,
                 SYS_wait4, SYS_set_robust_list, SYS_rt_sigprocmask, SYS_write}) {
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
            program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
            return 97;
        int bad = 0;
        for (int i = 0; i < 5; ++i)
            bad += endOf([] { return churn(50'000) + 3; }) == 3 ? 0 : 1;
        return bad;
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

/// The way around the C library's own function: filters are installed, and the clock is taken away, by number.
int filterByNumber()
{
    const auto run = [] {
        std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
        for (const unsigned call :
            {SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_exit_group, SYS_write}) {
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
            program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
            return 97;
        return static_cast<int>(churn(200'000));
    };
    std::printf("end %d\n", endOf(run));
    const auto withoutClock = [] {
        if (syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0)
            return 97;
        return static_cast<int>(churn(200'000));
    };
    std::printf("without clock %d\n", endOf(withoutClock));
    return 0;
}

/// A filter that looks at the calls of new images too: none may meet anybody.
int filterBeforeExec()
{
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        churn(100);
        std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
        for (const unsigned call : {SYS_socket, SYS_connect, SYS_kill, SYS_sendto, SYS_recvmsg}) {
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
            program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
        execl(g_self, "sandbox", "-churns", nullptr);
        _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("exit %d signal %d\n", WEXITSTATUS(status), WTERMSIG(status));
    return 0;
}

int churns() { return churn(20'000); }

int notDumpable()
{
    int bad = churn(100);
    prctl(PR_SET_DUMPABLE, 0);
    bad += churn(10'000) + endOf([] { return churn(10'000); });
    std::printf("dumpable %d bad %d\n", prctl(PR_GET_DUMPABLE), bad);
    return 0;
}

/// As a server that begins as root.
int dropsRights()
{
    int bad = churn(100);
    if (geteuid() == 0)
        bad += setresgid(65534, 65534, 65534) + setresuid(65534, 65534, 65534);
    bad += churn(10'000) + endOf([] { return churn(10'000); });
    std::printf("bad %d\n", bad);
    return 0;
}

void copyInto(const std::string &root, const char *file)
{
    std::string command = "mkdir -p \"$(dirname '" + root + file + "')\" && cp -L '" + file + "' '" + root + file + "'";
    if (system(command.c_str()) != 0)
        std::puts("cannot copy");
}

/// Leaves the root under a filter that kills who asks whether a file is there.
int changesRootUnderAFilter()
{
    const auto run = [] {
        std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
        for (const unsigned call : {SYS_access, SYS_faccessat, SYS_faccessat2, SYS_stat, SYS_newfstatat, SYS_openat}) {
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
            program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
            return 97;
        if (chroot("/tmp") != 0)
            return 0; // not root
        return static_cast<int>(churn(10'000));
    };
    std::printf("end %d\n", endOf(run));
    return 0;
}

/// With a loader and a libc of its own in the new root, but no tracer.
int changesRoot()
{
    char name[] = "/tmp/genesis-root-XXXXXX";
    if (mkdtemp(name) == nullptr)
        return 97;
    for (const char *file : {"/bin/true", "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"})
        copyInto(name, file);
    const pid_t child = fork();
    if (child == 0) {
        churn(100);
        if (chroot(name) != 0 || chdir("/") != 0)
            _exit(96); // not root
        int bad = churn(10'000);
        const pid_t inner = fork();
        if (inner == 0)
            _exit(churn(1000) == 0 && execl("/bin/true", "true", nullptr) != 0 ? 98 : 99);
        int status = 0;
        waitpid(inner, &status, 0);
        _exit(bad + (status == 0 ? 0 : 1));
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("exit %d\n", WEXITSTATUS(status) == 96 ? 0 : WEXITSTATUS(status));
    std::fflush(stdout);
    return system((std::string("rm -rf ") + name).c_str());
}

int clearsEnvironment()
{
    churn(100);
    std::printf("before\n");
    std::fflush(stdout);
    char program[] = "sandbox", which[] = "-counts-environment";
    char *arguments[] = {program, which, nullptr}, *nothing[] = {nullptr};
    execve(g_self, arguments, nothing);
    return 98;
}

int countsEnvironment()
{
    int count = 0;
    while (environ[count] != nullptr)
        ++count;
    std::printf("variables %d, bad %d\n", count, churn(1000));
    return 0;
}

/// A debugger of its own child, which would fail if anybody else traced it.
int tracesItsChild()
{
    int bad = churn(100);
    const pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
            _exit(96);
        raise(SIGSTOP);
        _exit(churn(200) == 0 ? 3 : 1);
    }
    int status = 0, calls = 0;
    waitpid(child, &status, 0);
    while (WIFSTOPPED(status)) {
        ++calls;
        ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        waitpid(child, &status, 0);
    }
    bad += WIFEXITED(status) && WEXITSTATUS(status) == 3 && calls > 1 ? 0 : 1;
    std::printf("bad %d\n", bad);
    return 0;
}

/// Nobody else has made this process its tracee.
int isNotTraced()
{
    churn(100);
    std::printf("traceme %ld\n", ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    return 0;
}

constexpr Case kCases[] = {
    {"strict-mode", strictMode},
    {"no-time-stamps", noTimeStamps},
    {"filter-for-malloc", filterForMalloc},
    {"filter-for-threads", filterForThreads, Traced::Partly},
    {"filter-for-children", filterForChildren},
    {"filter-by-number", filterByNumber},
    {"filter-before-exec", filterBeforeExec},
    {"-churns", churns},
    {"not-dumpable", notDumpable},
    {"drops-rights", dropsRights},
    {"changes-root", changesRoot},
    {"changes-root-under-a-filter", changesRootUnderAFilter},
    {"clears-environment", clearsEnvironment},
    {"-counts-environment", countsEnvironment},
    {"traces-its-child", tracesItsChild},
    {"is-not-traced", isNotTraced},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }
