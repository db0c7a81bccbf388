// SPDX-License-Identifier: MIT
// Copies this process by fork for a recorder that holds all its threads: see wire/snapshot.h. The thread that gets here may have been anywhere,
// so nothing but system calls is used, on stacks of our own. The copy is no child of this process but of a helper, which shares all
// memory and descriptors, ends at once and is reaped here: while the recorder holds its threads, the program has no child that it
// does not know of. Is the recorder killed meanwhile, one that asks for children of every kind (__WALL) may meet the helper for a moment.
#include "capture/tracer/raw_syscall.h"
#include "capture/wire/going_back.h"
#include "capture/wire/snapshot.h"

#include <linux/close_range.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#include <cstdint>

using namespace capture;
using namespace capture::tracer;

namespace {

/// As a system call, like all here. Only differences are looked at, which are the same in each time namespace.
std::int64_t clockMs()
{
    timespec now{};
    rawSyscall(SYS_clock_gettime, CLOCK_MONOTONIC, asLong(&now));
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// What the copy lives for: to be read. It has none of the program's descriptors, so that whoever the program talks to sees its end, and
/// is of a session of its own, so that no signal for the program's group reaches it; all others are blocked.
[[noreturn]] void liveAsSnapshot(const wire::SnapshotCommand &command, bool isInTime)
{
    // First of all: until then the table of descriptors is shared, and nothing is kept open that the program closes.
    if (isInTime && !failed(rawSyscall(SYS_close_range, 0, 0xffffffffl, CLOSE_RANGE_UNSHARE))) {
        rawSyscall(SYS_setsid);
        rawSyscall(SYS_prctl, PR_SET_NAME, asLong("genprof-copy"));
        rawSyscall(SYS_prctl, PR_SET_PTRACER, command.recorder); // where Yama lets only ancestors look
        constexpr long kPidfdOpen = 434;
        const long recorder = rawSyscall(kPidfdOpen, command.recorder, 0);
        pollfd end{static_cast<int>(recorder), POLLIN, 0};
        if (!failed(recorder))
            rawSyscall(SYS_poll, asLong(&end), 1, static_cast<long>(command.limitMs));
    }
    for (;;)
        rawSyscall(SYS_exit_group, 0);
}

} // namespace

extern "C" {

/// Of the helper.
[[noreturn]] __attribute__((used, visibility("hidden"))) void genesisSnapshotHelper(wire::SnapshotCommand *command)
{
    const std::int64_t begin = clockMs();
    // Exit signal 0: nobody is told; who adopts it, is by the kernel.
    const long copy = rawSyscall(SYS_clone, CLONE_FILES | CLONE_UNTRACED);
    if (copy == 0)
        liveAsSnapshot(*command, clockMs() - begin <= std::int64_t{command->forkLimitMs});
    command->snapshot = static_cast<std::int32_t>(copy);
    for (;;)
        rawSyscall(SYS_exit_group, 0);
}
}

// The thread executes nothing outside of kSnapshotFunctionBytes (256, which .org holds it to), so that its place tells the recorder whether it
// has gone back. Offsets are those of SnapshotCommand. Where orphans become this process's children, the copy would, too: 157 is prctl with
// PR_GET_CHILD_SUBREAPER (37), 39 getpid. 56 is clone with CLONE_VM | CLONE_FILES | CLONE_VFORK | CLONE_UNTRACED, which comes back when the helper
// has ended; 61 is wait4 with __WALL, -4 EINTR, -10 ECHILD.
asm(R"(
        .pushsection .bss
        .balign 16
genesisSnapshotStacks:
        .zero 8192
genesisSnapshotStacksEnd:
genesisSnapshotBusy:
        .zero 16
        .popsection
        .pushsection .text
        .globl genesis_tracer_snapshot
        .type genesis_tracer_snapshot, @function
genesis_tracer_snapshot:
        .cfi_startproc
        .cfi_undefined rip
        movq    %rdi, %r12
        movl    $2, %r13d
        movl    $1, %eax
        xchgl   %eax, genesisSnapshotBusy(%rip)
        testl   %eax, %eax
        jnz     6f
        leaq    genesisSnapshotStacksEnd(%rip), %rsp
        xorl    %ebp, %ebp
        movl    $-10, 24(%r12)
        movl    $37, %edi
        leaq    36(%r12), %rsi
        movl    $157, %eax
        syscall
        testq   %rax, %rax
        jnz     5f
        cmpl    $0, 36(%r12)
        jne     5f
        movl    $39, %eax
        syscall
        cmpl    $1, %eax
        je      5f
        movl    $0x00804500, %edi
        leaq    genesisSnapshotStacks+4096(%rip), %rsi
        xorl    %edx, %edx
        xorl    %r10d, %r10d
        xorl    %r8d, %r8d
        movl    $56, %eax
        syscall
        testq   %rax, %rax
        jz      3f
        movl    %eax, 24(%r12)
        js      5f
        movq    %rax, %rbx
4:      movq    %rbx, %rdi
        xorl    %esi, %esi
        movl    $0x40000000, %edx
        xorl    %r10d, %r10d
        movl    $61, %eax
        syscall
        cmpq    $-4, %rax
        je      4b
5:      movl    $1, %r13d
        movl    $0, genesisSnapshotBusy(%rip)
6:      movl    %r13d, 32(%r12)
)" GENESIS_GO_BACK("8(%r12)") R"(
3:      movq    %r12, %rdi
        call    genesisSnapshotHelper
        ud2
        .org    genesis_tracer_snapshot + 256, 0xcc
        .cfi_endproc
        .size genesis_tracer_snapshot, .-genesis_tracer_snapshot
        .popsection
)");
