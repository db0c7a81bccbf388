// SPDX-License-Identifier: MIT
#include "capture/tracer/symbol_patches.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/tracing.h"
#include "capture/unwind/find_module.h"

#include <elf.h>
#include <link.h>
#include <linux/mman.h> // sys/mman.h declares some of the functions below otherwise

#include <atomic>
#include <cstring>

#define HOOK(result, name, parameters) GENESIS_EXPORT result name parameters noexcept;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden"))); // the linker's: where this library begins

namespace capture::tracer {

namespace {

constexpr std::uint64_t kPageBytes = 4096;

/// A symbol of the allocator and what it shall lead to.
struct Patch
{
    const Elf64_Sym *symbol;
    std::uint64_t hook;
};

template <typename Function> std::uint64_t addressOf(Function *function)
{
    return reinterpret_cast<std::uint64_t>(function);
}

std::uint64_t addressOf(const void *pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

struct Patches
{
    static constexpr std::size_t kMost = 256;
    Patch list[kMost];
    std::size_t count = 0;
    bool isWhole = true; ///< all that there is to change can be

    /// A name whose definition in `module` is what the hook goes on to, or was before a parent's thread changed it. What an indirect
    /// function leads to is not its value, and its kind cannot be changed together with that.
    void add(const link_map *module, const char *name, std::uint64_t hook, std::uint64_t next)
    {
        const Elf64_Sym *symbol = next != 0 ? symbolEntry(module, name) : nullptr;
        if (symbol == nullptr)
            return;
        const std::uint64_t address = module->l_addr + symbol->st_value;
        const unsigned type = symbol->st_info & 0xf;
        if (type == STT_GNU_IFUNC || count == kMost)
            isWhole = false;
        else if (type == STT_FUNC && (address == next || address == hook))
            list[count++] = {symbol, hook};
    }
};

void findPatches(Patches &patches, const link_map *module)
{
#define HOOK(result, name, parameters) patches.add(module, #name, addressOf(&::name), addressOf(g_next.name));
#define HOOK_OPTIONAL HOOK
#define HOOK_PRELOADED(result, name, parameters) // who calls them is told by where they return to
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
}

/// Where a module begins; null if that is not known.
const Elf64_Ehdr *headerOf(const link_map *module)
{
    unwind::LocalModule found;
    const bool isKnown = unwind::findModule(g_tracing.findObject, addressOf(module->l_ld), found);
    return isKnown ? reinterpret_cast<const Elf64_Ehdr *>(found.begin) : nullptr;
}

/// What may be done to the memory at `address`, as the file of the module says, which begins with `header`; 0 if that is not known.
long protectionAt(const Elf64_Ehdr *header, const link_map *module, std::uint64_t address)
{
    if (header == nullptr)
        return 0;
    const auto *segments
        = reinterpret_cast<const Elf64_Phdr *>(addressOf(static_cast<const void *>(header)) + header->e_phoff);
    long protection = 0;
    bool isReadOnlyNow = false; // written while it was relocated
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        const Elf64_Phdr &segment = segments[i];
        if (address - (module->l_addr + segment.p_vaddr) >= segment.p_memsz)
            continue;
        if (segment.p_type == PT_LOAD)
            protection = ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0)
                | ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) | ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
        isReadOnlyNow = isReadOnlyNow || segment.p_type == PT_GNU_RELRO;
    }
    return isReadOnlyNow ? protection & ~long{PROT_WRITE} : protection;
}

/// The pages that hold the symbols.
struct Pages
{
    std::uint64_t begin = ~std::uint64_t{0}, end = 0;

    explicit Pages(const Patches &patches)
    {
        for (std::size_t i = 0; i < patches.count; ++i) {
            const std::uint64_t at = addressOf(static_cast<const void *>(patches.list[i].symbol));
            begin = at < begin ? at : begin;
            end = at + sizeof(Elf64_Sym) > end ? at + sizeof(Elf64_Sym) : end;
        }
        begin &= ~(kPageBytes - 1);
        end = (end + kPageBytes - 1) & ~(kPageBytes - 1);
    }
    bool protect(long protection) const
    {
        return !failed(rawSyscall(SYS_mprotect, static_cast<long>(begin), static_cast<long>(end - begin), protection));
    }
};

/// Writes all patches into the module that begins with `header`; other threads may look symbols up meanwhile, and find the old or the new
/// value. False: none is written.
bool write(const Patches &patches, const Elf64_Ehdr *header, const link_map *module)
{
    if (patches.count == 0)
        return true;
    const Pages pages(patches);
    const long protection = protectionAt(header, module, addressOf(static_cast<const void *>(patches.list[0].symbol)));
    const bool hasCode = (protection & PROT_EXEC) != 0;
    if (protection == 0 || (hasCode && !Restrictions::allow(Ask::ProtectCode)))
        return false;
    if (!pages.protect(protection | PROT_WRITE)) {
        pages.protect(protection); // of several mappings, the first may have been changed
        return false;
    }
    for (std::size_t i = 0; i < patches.count; ++i) {
        auto *symbol = const_cast<Elf64_Sym *>(patches.list[i].symbol);
        __atomic_store_n(&symbol->st_value, patches.list[i].hook - module->l_addr, __ATOMIC_RELEASE);
    }
    pages.protect(protection);
    return true;
}

bool patch(const link_map *module)
{
    Patches patches;
    findPatches(patches, module);
    return write(patches, headerOf(module), module) && patches.isWhole;
}

/// Names of hooks that lead nowhere.
struct Missing
{
    static constexpr std::size_t kMost = 256;
    struct Name
    {
        const char *text;
        bool isAskedFor; ///< by a module that came with the program
    };
    Name list[kMost];
    std::size_t count;

    void add(const char *name, bool isMissing)
    {
        if (isMissing && count < kMost)
            list[count++] = {name, false};
    }
    static void note(const char *name, void *missing)
    {
        auto *self = static_cast<Missing *>(missing);
        for (std::size_t i = 0; i < self->count; ++i)
            if (std::strcmp(self->list[i].text, name) == 0)
                self->list[i].isAskedFor = true;
    }
};
constinit Missing g_missing{}; // too much for a stack that may be anybody's
constinit Patches g_hiding{};

enum class Step : std::uint32_t { Untried, Trying, Done, Refused };
struct Progress
{
    Step step = Step::Untried;
    std::int32_t pid = 0; ///< of the process that is trying
};
constinit std::atomic<Progress> g_progress = Progress{};

} // namespace

void hideNames()
{
    const link_map *own = ownModule();
    if (own == nullptr)
        return;
    g_missing.count = 0;
#define HOOK(result, name, parameters)
#define HOOK_OPTIONAL(result, name, parameters) g_missing.add(#name, g_next.name == nullptr);
#define HOOK_PRELOADED(result, name, parameters) // those of an old glibc may come with a library of their own
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
    for (const link_map *module = firstModule(); module != nullptr; module = module->l_next)
        if (module != own)
            ModuleSymbols(module).visitWeakReferences(Missing::note, &g_missing);
    const ModuleSymbols ownSymbols(own);
    g_hiding.count = 0;
    for (std::size_t i = 0; i < g_missing.count; ++i)
        if (const Elf64_Sym *symbol = ownSymbols.entry(g_missing.list[i].text);
            symbol != nullptr && !g_missing.list[i].isAskedFor)
            g_hiding.list[g_hiding.count++]
                = {symbol, own->l_addr}; // without a value it is none for the loader (elf/dl-lookup.c)
    // The loader itself has just done the same to all modules: it need not be asked whether that is allowed.
    write(g_hiding, &__ehdr_start, own);
}

bool redirectSymbols()
{
    const link_map *module = mallocModule();
    if (module == nullptr)
        return false;
    Progress now = g_progress.load(std::memory_order_acquire);
    if (now.step == Step::Untried || now.step == Step::Trying) {
        if (!Restrictions::allow(Ask::Protect))
            return false;
        // A child that was forked while another thread was at it has nobody who goes on with it.
        const auto self = static_cast<std::int32_t>(rawSyscall(SYS_getpid));
        const bool isMine = (now.step == Step::Untried || now.pid != self)
            && g_progress.compare_exchange_strong(now, {Step::Trying, self}, std::memory_order_acq_rel);
        if (isMine) {
            now = {patch(module) ? Step::Done : Step::Refused, 0};
            g_progress.store(now, std::memory_order_release);
        }
    }
    return now.step == Step::Done && g_allocator.isLast;
}

} // namespace capture::tracer
