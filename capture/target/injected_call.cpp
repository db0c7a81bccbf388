// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/injected_call.h"

#include "capture/wire/going_back.h"

extern "C" {
extern const std::uint8_t genesisInjectedBegin[] __attribute__((visibility("hidden")));
extern const std::uint8_t genesisInjectedEnd[] __attribute__((visibility("hidden")));
}

// Offsets are those of InjectedCall. Called functions keep r12 to r15.
asm(R"(
        .pushsection .rodata
        .globl genesisInjectedBegin, genesisInjectedEnd
        .hidden genesisInjectedBegin, genesisInjectedEnd
genesisInjectedBegin:
        movq    8(%r12), %rdi
        movq    16(%r12), %rsi
        call    *0(%r12)
        movq    %rax, 64(%r12)
        testq   %rax, %rax
        jz      1f
        movq    40(%r12), %r13
        movq    %rax, 24(%r13)
        movq    %rax, %rdi
        movq    32(%r12), %rsi
        call    *24(%r12)
        movq    %rax, 72(%r12)
        testq   %rax, %rax
        jz      1f
        movq    %r13, %rdi
        call    *%rax
        movq    $1, 88(%r12)
        jmp     2f
1:      call    *48(%r12)
        movq    %rax, 80(%r12)
        movq    $2, 88(%r12)
2:
)" GENESIS_GO_BACK("56(%r12)") R"(
genesisInjectedEnd:
        .popsection
)");

namespace capture {

static_assert(offsetof(InjectedCall, path) == 8 && offsetof(InjectedCall, dlsym) == 24
    && offsetof(InjectedCall, functionName) == 32 && offsetof(InjectedCall, command) == 40
    && offsetof(InjectedCall, dlerror) == 48 && offsetof(InjectedCall, context) == 56
    && offsetof(InjectedCall, handle) == 64 && offsetof(InjectedCall, function) == 72
    && offsetof(InjectedCall, error) == 80 && offsetof(InjectedCall, stage) == 88);

std::span<const std::uint8_t> injectedCode()
{
    return {genesisInjectedBegin, static_cast<std::size_t>(genesisInjectedEnd - genesisInjectedBegin)};
}

} // namespace capture
