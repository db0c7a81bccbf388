// SPDX-License-Identifier: MIT
#pragma once

/// How a call ends that a thread of the target was made to run: it waits for the recorder to take the thread over, which brings back even what
/// a signal frame cannot (a system call that the kernel would begin again), and else goes back by itself. Waits with sched_yield (24),
/// which nothing interrupts, for 2^28 ticks of the time stamp counter, some tenth of a second; goes back by rt_sigreturn (15), which is
/// tried again where a tracer skipped it, from the stack pointer in memory at `context`, an assembler operand. x86-64 assembler text for
/// a basic asm; takes all registers but those of `context`, and the labels 91 and 92.
#define GENESIS_GO_BACK(context)                                                                                       \
    "        rdtsc\n"                                                                                                  \
    "        shlq    $32, %rdx\n"                                                                                      \
    "        leaq    (%rdx,%rax), %rbx\n"                                                                              \
    "91:     movl    $24, %eax\n"                                                                                      \
    "        syscall\n"                                                                                                \
    "        rdtsc\n"                                                                                                  \
    "        shlq    $32, %rdx\n"                                                                                      \
    "        addq    %rdx, %rax\n"                                                                                     \
    "        subq    %rbx, %rax\n"                                                                                     \
    "        cmpq    $0x10000000, %rax\n"                                                                              \
    "        jb      91b\n"                                                                                            \
    "92:     movq    " context ", %rsp\n"                                                                              \
    "        movl    $15, %eax\n"                                                                                      \
    "        syscall\n"                                                                                                \
    "        jmp     92b\n"
