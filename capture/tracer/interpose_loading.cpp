// SPDX-License-Identifier: MIT
// The hooks of dlopen and dlmopen: some libraries that a program opens do not bind to what stands in front of the allocator.
#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/symbol_patches.h"
#include "capture/tracer/tracer_api.h"
#include "capture/tracer/tracing.h"

#include <cstring>

using namespace capture;
using namespace capture::tracer;

namespace {

// As <dlfcn.h> has them, which is not included: it declares the functions below otherwise.
constexpr int kDeepBind = 8;           // RTLD_DEEPBIND
constexpr long kProgramsNamespace = 0; // LM_ID_BASE

/// Tells the recorder that the calls of a library are not all seen.
void tellUnseen(wire::Unseen why, const char *file)
{
    const ReentrancyGuard guard;
    if (!guard || !g_tracing.isRecording())
        return;
    const char *slash = std::strrchr(file, '/');
    const char *name = slash != nullptr ? slash + 1 : file;
    writeNote(wire::NoteKind::Unseen, name, std::strlen(name), static_cast<std::uint64_t>(why));
}

/// Before the loader loads `file`, which is null for the program itself.
void lookAt(long space, const char *file, int mode)
{
    if (file == nullptr || !canForward() || isPassing())
        return;
    if (space != kProgramsNamespace)
        tellUnseen(wire::Unseen::Namespace, file);
    else if ((mode & kDeepBind) != 0 && !redirectSymbols())
        tellUnseen(wire::Unseen::Binding, file);
}

/// Where a call goes on to; null if nothing has such a function. Where it is in a library of its own, that may have come later.
template <typename Function> Function *nextOf(Function *known, const char *name)
{
    return known != nullptr ? known : reinterpret_cast<Function *>(nextDefinition(name));
}

} // namespace

// The loader tells by the return address who asks, and looks for the library where that one says. So nothing is left on the stack: what
// is to be done is done before, and the call goes on with a jump.
asm(R"(
.globl dlopen
.type dlopen, @function
dlopen:
    .cfi_startproc
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call genesisBeforeDlopen
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %rax, %rax
    je 1f
    jmp *%rax
1:  ret
    .cfi_endproc
.size dlopen, . - dlopen

.globl dlmopen
.type dlmopen, @function
dlmopen:
    .cfi_startproc
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    call genesisBeforeDlmopen
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %rax, %rax
    je 1f
    jmp *%rax
1:  ret
    .cfi_endproc
.size dlmopen, . - dlmopen
)");

extern "C" {
__attribute__((used, visibility("hidden"))) auto genesisBeforeDlopen(const char *file, int mode)
{
    lookAt(kProgramsNamespace, file, mode);
    return nextOf(g_next.dlopen, "dlopen");
}

__attribute__((used, visibility("hidden"))) auto genesisBeforeDlmopen(long space, const char *file, int mode)
{
    lookAt(space, file, mode);
    return nextOf(g_next.dlmopen, "dlmopen");
}
}
