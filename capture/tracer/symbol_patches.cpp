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

#define HOOK(result, name, parameters) GENESIS_EXPORT result name parameters noexcept;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK

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

    /// A name whose definition in `module` is what the hook goes on to. An indirect function is none: what it leads to is not its value.
    void add(const link_map *module, const char *name, std::uint64_t hook, std::uint64_t next)
    {
        const Elf64_Sym *symbol = next != 0 && count < kMost ? symbolEntry(module, name) : nullptr;
        if (symbol != nullptr && (symbol->st_info & 0xf) == STT_FUNC && module->l_addr + symbol->st_value == next)
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

/// What may be done to the memory at `address`, as the module's file says; 0 if that is not known.
long protectionAt(const link_map *module, std::uint64_t address)
{
    unwind::LocalModule found;
    if (!unwind::findModule(g_tracing.findObject, addressOf(module->l_ld), found))
        return 0;
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(found.begin);
    const auto *segments = reinterpret_cast<const Elf64_Phdr *>(found.begin + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        const Elf64_Phdr &segment = segments[i];
        if (segment.p_type == PT_LOAD && address - (module->l_addr + segment.p_vaddr) < segment.p_memsz)
            return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0)
                | ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
    }
    return 0;
}

/// Writes all patches; other threads may look symbols up meanwhile, and find the old or the new value.
bool write(const Patches &patches, const link_map *module)
{
    std::uint64_t begin = ~std::uint64_t{0}, end = 0;
    for (std::size_t i = 0; i < patches.count; ++i) {
        const std::uint64_t at = addressOf(static_cast<const void *>(patches.list[i].symbol));
        begin = at < begin ? at : begin;
        end = at + sizeof(Elf64_Sym) > end ? at + sizeof(Elf64_Sym) : end;
    }
    if (patches.count == 0)
        return true;
    begin &= ~(kPageBytes - 1);
    const auto bytes = static_cast<long>((end - begin + kPageBytes - 1) & ~(kPageBytes - 1));
    const long protection = protectionAt(module, begin);
    if (protection == 0 || !Restrictions::allow(Ask::Protect)
        || failed(rawSyscall(SYS_mprotect, static_cast<long>(begin), bytes, protection | PROT_WRITE)))
        return false;
    for (std::size_t i = 0; i < patches.count; ++i) {
        auto *symbol = const_cast<Elf64_Sym *>(patches.list[i].symbol);
        __atomic_store_n(&symbol->st_value, patches.list[i].hook - module->l_addr, __ATOMIC_RELEASE);
    }
    rawSyscall(SYS_mprotect, static_cast<long>(begin), bytes, protection);
    return true;
}

/// Whether a module behind the one that serves malloc has a malloc, too, to which a library may bind. That of an old ld.so is only
/// for itself.
bool hasAnotherBehind(const link_map *module)
{
    for (const link_map *other = module->l_next; other != nullptr; other = other->l_next) {
        const std::uint64_t address = symbolOf(other, "malloc");
        if (address != 0 && (address < g_loaderBegin || address >= g_loaderEnd))
            return true;
    }
    return false;
}

enum class State : std::uint32_t { Untried, Trying, Done, Refused };
constinit std::atomic<State> g_state = State::Untried;

} // namespace

bool redirectSymbols()
{
    const link_map *module = mallocModule();
    if (module == nullptr)
        return false;
    State state = State::Untried;
    if (g_state.compare_exchange_strong(state, State::Trying, std::memory_order_acq_rel)) {
        Patches patches;
        findPatches(patches, module);
        state = write(patches, module) ? State::Done : State::Refused;
        g_state.store(state, std::memory_order_release);
    }
    return state != State::Refused && !hasAnotherBehind(module);
}

} // namespace capture::tracer
