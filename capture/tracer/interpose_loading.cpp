// SPDX-License-Identifier: MIT
// The hooks of dlopen and dlmopen: some libraries that a program opens do not bind to what stands in front of the allocator.
#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/symbol_patches.h"
#include "capture/tracer/tracer_api.h"
#include "capture/tracer/tracing.h"
#include "capture/unwind/find_module.h"

#include <errno.h>
#include <link.h>

#include <cstring>

using namespace capture;
using namespace capture::tracer;

namespace {

// As <dlfcn.h> has them, which is not included: it declares the functions below otherwise.
constexpr int kDeepBind = 8;           // RTLD_DEEPBIND
constexpr long kProgramsNamespace = 0; // LM_ID_BASE
constexpr long kReadable = 4;          // R_OK

constexpr auto kNone = wire::Unseen{0};

/// A call of one of the hooks.
struct Opening
{
    long space;
    const char *file; ///< null: the program itself
    int mode;
    std::uint64_t caller;

    bool isPath() const { return std::strchr(file, '/') != nullptr; }
};

/// Why the calls of the library may not all be seen; kNone if they are. Before it is opened: what can be done about it is done here, also
/// while nobody records, as somebody may later.
wire::Unseen whyUnseen(const Opening &opening)
{
    if (opening.file == nullptr || !canForward())
        return kNone;
    if (opening.space != kProgramsNamespace)
        return wire::Unseen::Namespace;
    return (opening.mode & kDeepBind) == 0 || redirectSymbols() ? kNone : wire::Unseen::Binding;
}

/// Tells the recorder that the calls of a library are not all seen. One that attaches later is not told.
void tellUnseen(wire::Unseen why, const char *file)
{
    if (isPassing())
        return;
    const ReentrancyGuard guard;
    if (!guard || !g_tracing.isRecording())
        return;
    const char *slash = std::strrchr(file, '/');
    const char *name = slash != nullptr ? slash + 1 : file;
    writeNote(wire::NoteKind::Unseen, name, std::strlen(name), static_cast<std::uint64_t>(why));
}

bool hasRunPath(const link_map *module)
{
    for (const Elf64_Dyn *entry = module->l_ld; entry->d_tag != DT_NULL; ++entry)
        if (entry->d_tag == DT_RUNPATH)
            return true;
    return false;
}

/// Whether the loader would do the same if the call came from here. It asks where one comes from for a name with '$' or without '/', and
/// to find the namespace, where none is given; who opens a library also has the libraries that this needs looked for along its DT_RPATH
/// (glibc, elf/dl-open.c and dl-load.c). The program's DT_RPATH counts for all, and ours, who have neither path, were asked for by the program.
bool isTheSameFromHere(const Opening &opening, bool isSpaceGiven)
{
    if (std::strchr(opening.file, '$') != nullptr)
        return false;
    if (isSpaceGiven && opening.isPath())
        return true;
    unwind::LocalModule found;
    const bool isKnown = unwind::findModule(g_tracing.findObject, opening.caller, found) && found.linkMap != nullptr;
    return isKnown && found.linkMap == firstModule() && (opening.isPath() || !hasRunPath(found.linkMap));
}

/// A path that leads nowhere: programs try some until one is there.
bool isMissing(const Opening &opening)
{
    if (!opening.isPath() || std::strchr(opening.file, '$') != nullptr || !Restrictions::allow(Ask::Look))
        return false;
    const long result = rawSyscall(SYS_access, asLong(opening.file), kReadable);
    return result == -ENOENT || result == -ENOTDIR;
}

/// Where a call goes on to; null if nothing has such a function. Where it is in a library of its own (glibc before 2.34), that may have come
/// after the others, and may go again: it is looked for at each call, while nobody takes a module out of the list.
template <typename Function> Function *nextOf(Function *known, const char *name)
{
    if (known != nullptr)
        return known;
    struct Search
    {
        const char *name;
        std::uint64_t found;
    } search{name, 0};
    const auto look = [](dl_phdr_info *, std::size_t, void *data) {
        auto *wanted = static_cast<Search *>(data);
        wanted->found = nextDefinition(wanted->name);
        return 1;
    };
    dl_iterate_phdr(look, &search);
    return reinterpret_cast<Function *>(search.found);
}

/// What a hook is to do.
struct Answer
{
    void *value;            ///< the function that it goes on to, or what the call came to
    std::uint64_t isResult; ///< which of both
};

/// Names the library where that is due: after the call, if that can be made from here and so be seen to fail; else before it.
template <typename Function, typename Call>
Answer answer(const Opening &opening, bool isSpaceGiven, Function *next, Call call)
{
    if (next == nullptr)
        return {nullptr, 1};
    const wire::Unseen why = whyUnseen(opening);
    if (why != kNone && isTheSameFromHere(opening, isSpaceGiven)) {
        void *handle = call(next);
        if (handle != nullptr)
            tellUnseen(why, opening.file);
        return {handle, 1};
    }
    if (why != kNone && !isMissing(opening))
        tellUnseen(why, opening.file);
    return {reinterpret_cast<void *>(next), 0};
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
    movq 24(%rsp), %rdx
    call genesisBeforeDlopen
    movq %rdx, %r11
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %r11, %r11
    jne 1f
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
    movq 24(%rsp), %rcx
    call genesisBeforeDlmopen
    movq %rdx, %r11
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %r11, %r11
    jne 1f
    jmp *%rax
1:  ret
    .cfi_endproc
.size dlmopen, . - dlmopen
)");

extern "C" {
__attribute__((used, visibility("hidden"))) Answer genesisBeforeDlopen(const char *file, int mode, std::uint64_t caller)
{
    return answer({kProgramsNamespace, file, mode, caller}, false, nextOf(g_next.dlopen, "dlopen"),
        [=](auto *next) { return next(file, mode); });
}

__attribute__((used, visibility("hidden"))) Answer genesisBeforeDlmopen(
    long space, const char *file, int mode, std::uint64_t caller)
{
    return answer({space, file, mode, caller}, true, nextOf(g_next.dlmopen, "dlmopen"),
        [=](auto *next) { return next(space, file, mode); });
}
}
