// SPDX-License-Identifier: GPL-3.0-or-later
// Opens the two libraries of its command line, each in a namespace of its own; the second on SIGUSR1, and forbids itself all system calls then.
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

int main(int, char **argv)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    if (dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW) == nullptr)
        return 1;
    int number = 0;
    sigwait(&signals, &number);
    if (dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW) == nullptr)
        return 2;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        return 3;
    syscall(SYS_exit, 0);
}
