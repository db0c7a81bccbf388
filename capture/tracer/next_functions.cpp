// SPDX-License-Identifier: MIT
#include "capture/tracer/next_functions.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/symbol_patches.h"

#include <link.h>

#include <type_traits>

namespace capture::tracer {

NextFunctions g_next;
constinit std::atomic<Way> g_way = Way::Unknown;
std::uint64_t g_loaderBegin = 0, g_loaderBytes = 0;
AllocatorTraits g_allocator;

namespace {

const link_map *g_mallocModule = nullptr;

using Lookup = std::uint64_t (*)(const char *name, const link_map **where);

template <typename Function> bool find(Lookup lookUp, Function *&function, const char *name, const link_map **where)
{
    const std::uint64_t address = lookUp(name, where);
    if (address != 0)
        function = reinterpret_cast<Function *>(address);
    return address != 0;
}

/// An allocator's own interface is looked for in that allocator alone.
void findFamilies(Lookup lookUp, NextFunctions &found)
{
    const link_map *tcmalloc = nullptr, *mimalloc = nullptr;
    lookUp("tc_malloc", &tcmalloc);
    lookUp("mi_malloc", &mimalloc);
    g_allocator.isTcmalloc = tcmalloc != nullptr && tcmalloc == g_mallocModule;
    g_allocator.isMimalloc = mimalloc != nullptr && mimalloc == g_mallocModule;
    if (tcmalloc == nullptr && mimalloc == nullptr)
        return;
    const auto lookIn = [](const link_map *module, auto *&function, const char *name) {
        if (const std::uint64_t address = module != nullptr ? symbolOf(module, name) : 0; address != 0)
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    };
#define HOOK(result, name, parameters)
#define HOOK_OPTIONAL HOOK
#define HOOK_FAMILY(result, name, parameters) lookIn(isOfMimalloc(#name) ? mimalloc : tcmalloc, found.name, #name);
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
}

/// That of an old ld.so is only for itself. Asks no indirect function where it leads to: its module may not be relocated yet.
bool hasAnotherBehind(const link_map *module)
{
    for (const link_map *other = module->l_next; other != nullptr; other = other->l_next)
        if ((other->l_addr != g_loaderBegin || g_loaderBegin == 0) && symbolEntry(other, "malloc") != nullptr)
            return true;
    return false;
}

void findTraits(const NextFunctions &found)
{
    const auto next = reinterpret_cast<std::uint64_t>(found._Znwm);
    g_allocator.hasOwnOperators = next != 0 && symbolOf(g_mallocModule, "_Znwm") == next;
    g_allocator.isLast = !hasAnotherBehind(g_mallocModule);
}

/// The first time is the first call of the process, before it has threads: making one takes memory. So nobody loads or closes a library
/// meanwhile, or has changed a symbol (redirectSymbols()).
bool findFunctions(Lookup lookUp)
{
    const LoaderRange loader = loaderRange();
    g_loaderBegin = loader.begin;
    g_loaderBytes = loader.end - loader.begin;
    NextFunctions found;
    bool isComplete = true;
    const link_map *where = nullptr;
#define HOOK(result, name, parameters) isComplete = find(lookUp, found.name, #name, &where) && isComplete;
#define HOOK_OPTIONAL(result, name, parameters) find(lookUp, found.name, #name, &where);
#define HOOK_FAMILY(result, name, parameters)
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
    if (!isComplete)
        return false;
    if (lookUp("malloc", &where) != 0)
        g_mallocModule = where;
    findFamilies(lookUp, found);
    if (g_mallocModule != nullptr)
        findTraits(found);
    // malloc last: hooks ask for it to know whether the rest is there.
    auto *const next = found.malloc;
    found.malloc = nullptr;
    g_next = found;
    __atomic_store_n(&g_next.malloc, next, __ATOMIC_RELEASE);
    return true;
}

} // namespace

bool findNextFunctions()
{
    if (!findFunctions(nextDefinition))
        return false;
    hideNames();
    Way unknown = Way::Unknown;
    g_way.compare_exchange_strong(unknown, Way::Record, std::memory_order_release);
    return true;
}

void setWay(Way way)
{
    // A hook that is told a way takes it for granted that there is something to go on to. What is looked up later decides for itself.
    if (__atomic_load_n(&g_next.malloc, __ATOMIC_ACQUIRE) != nullptr)
        g_way.store(way, std::memory_order_release);
}

bool findPresentFunctions() { return findFunctions(firstDefinition); }

const link_map *mallocModule() { return g_mallocModule; }

} // namespace capture::tracer
