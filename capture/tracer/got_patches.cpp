// SPDX-License-Identifier: MIT
#include "capture/tracer/got_patches.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/module_slots.h"
#include "capture/tracer/raw_syscall.h"

#include <cstring>

#define HOOK(result, name, parameters) GENESIS_EXPORT result name parameters noexcept;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK

extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

namespace capture::tracer {

namespace {

/// A function that we stand in front of.
struct Redirection
{
    const char *name;
    std::uint64_t hook;
    std::uint64_t next;    ///< 0: there is none
    std::uint64_t standIn; ///< the program's stub, which others take for the function itself; 0: there is none

    /// A slot with this value leads to us already, perhaps through the program's slot.
    bool leadsHere(std::uint64_t value) const { return value == hook || (value == standIn && standIn != 0); }
};

template <typename Function> std::uint64_t addressOf(Function *function)
{
    return reinterpret_cast<std::uint64_t>(function);
}

constexpr std::size_t kFunctions = 0
#define HOOK(result, name, parameters) +1
#define HOOK_OPTIONAL HOOK
#define HOOK_PRELOADED(result, name, parameters)
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
    ;

/// All of them, as they are now, found by name.
class Redirections
{
public:
    Redirections()
    {
        for (std::uint16_t i = 0; i < kFunctions; ++i) {
            // Operators of the C++ library go on to malloc; only an allocator's own are a way into it. Its symbols lead to itself: those of
            // a process that came with this library may not any more (redirectSymbols()), but there no slot is changed.
            if (list[i].name[0] == '_' && symbolOf(mallocModule(), list[i].name) != list[i].next)
                list[i].next = 0;
            std::uint32_t at = hashOf(list[i].name);
            while (m_index[at % kIndex] != 0)
                ++at;
            m_index[at % kIndex] = static_cast<std::uint16_t>(i + 1);
        }
    }

    Redirection *find(const char *name)
    {
        for (std::uint32_t at = hashOf(name); m_index[at % kIndex] != 0; ++at) {
            Redirection &item = list[m_index[at % kIndex] - 1];
            if (std::strcmp(item.name, name) == 0)
                return item.next != 0 ? &item : nullptr;
        }
        return nullptr;
    }

    Redirection list[kFunctions] = {
#define HOOK(result, name, parameters) {#name, addressOf(&::name), addressOf(g_next.name), 0},
#define HOOK_OPTIONAL HOOK
#define HOOK_PRELOADED(result, name, parameters)
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
    };

private:
    static constexpr std::uint32_t kIndex = 1024;
    static_assert(kFunctions < kIndex / 2);

    static std::uint32_t hashOf(const char *name)
    {
        std::uint32_t hash = 2166136261;
        for (; *name != 0; ++name)
            hash = (hash ^ static_cast<unsigned char>(*name)) * 16777619;
        return hash;
    }

    std::uint16_t m_index[kIndex] = {}; ///< by hash, linear probing: place in the list, plus 1
};

/// What slots held that were redirected before their first call: their own stubs.
class Stubs
{
public:
    bool remember(std::uint64_t *word, std::uint64_t stub)
    {
        if (m_entries == nullptr)
            m_entries = static_cast<Entry *>(mapPrivate(kMost * sizeof(Entry)));
        Entry *known = entryOf(word);
        if (known == nullptr && m_entries != nullptr && m_count < kMost)
            known = &m_entries[m_count++];
        if (known != nullptr)
            *known = {word, stub};
        return known != nullptr;
    }
    /// The slot held no stub when it was redirected: what is known of its place is of a module that was there before.
    void forget(const std::uint64_t *word)
    {
        if (Entry *known = entryOf(word))
            *known = m_entries[--m_count];
    }
    std::uint64_t find(const std::uint64_t *word) const
    {
        const Entry *known = entryOf(word);
        return known != nullptr ? known->stub : 0;
    }
    void clear() { m_count = 0; }

private:
    static constexpr std::uint32_t kMost = 16384;
    struct Entry
    {
        std::uint64_t *word;
        std::uint64_t stub;
    };
    Entry *entryOf(const std::uint64_t *word) const
    {
        for (std::uint32_t i = m_count; i-- > 0;)
            if (m_entries[i].word == word)
                return &m_entries[i];
        return nullptr;
    }

    Entry *m_entries = nullptr;
    std::uint32_t m_count = 0;
};

constinit Stubs g_stubs;

/// A call slot that nobody called through yet: it leads back into its own module, to the stub that asks the loader.
bool isUnresolved(const ModuleSlots &module, const Slot &slot)
{
    return slot.isCall && *slot.word != slot.defined && module.isCode(*slot.word);
}

constexpr const char *kLoaderCalls[] = {"malloc", "calloc", "realloc", "free"};

/// From glibc 2.31 on the loader calls the allocator through four pointers of its own, which no relocation names.
template <typename Visit> void forEachLoaderPointer(const ModuleSlots &module, Visit visit)
{
    if (!module.holds(g_loaderBegin) || g_loaderBegin == 0)
        return;
    for (std::uint64_t at = module.relroBegin(); at + 8 <= module.relroEnd(); at += 8)
        visit(reinterpret_cast<std::uint64_t *>(at));
}

void count(bool isWritten, PatchCounts &counts) { ++(isWritten ? counts.slots : counts.slotsFailed); }

void redirectLoader(ModuleSlots &module, Redirections &all, PatchCounts &counts)
{
    forEachLoaderPointer(module, [&](std::uint64_t *word) {
        for (const char *name : kLoaderCalls) {
            const Redirection *item = all.find(name);
            if (item != nullptr && (*word == item->next || *word == item->hook))
                count(*word == item->hook || module.write(word, item->hook), counts);
        }
    });
}

void redirectModule(ModuleSlots &module, Redirections &all, PatchCounts &counts)
{
    const bool isProgram = counts.modules == 1; // it comes first
    // A module that is bound to another allocator keeps to it, with the slots too that it has not called through yet.
    std::uint32_t elsewhere = 0;
    module.forEach([&](const Slot &slot) {
        Redirection *item = all.find(slot.name);
        if (item == nullptr)
            return;
        if (isProgram && slot.standIn != 0)
            item->standIn = slot.standIn;
        if (*slot.word != 0 && *slot.word != item->next && !item->leadsHere(*slot.word) && !isUnresolved(module, slot))
            ++elsewhere;
    });
    counts.slotsElsewhere += elsewhere;
    module.forEach([&](const Slot &slot) {
        const Redirection *item = all.find(slot.name);
        if (item == nullptr)
            return;
        const std::uint64_t value = *slot.word;
        const bool isStub = value != item->hook && value != item->next && isUnresolved(module, slot) && elsewhere == 0;
        if (value == item->next && slot.isCall)
            g_stubs.forget(slot.word);
        if (value == item->hook)
            ++counts.slots;
        else if (value == item->next || isStub)
            count((!isStub || g_stubs.remember(slot.word, value)) && module.write(slot.word, item->hook), counts);
    });
}

void restoreModule(ModuleSlots &module, Redirections &all, PatchCounts &counts)
{
    module.forEach([&](const Slot &slot) {
        const Redirection *item = all.find(slot.name);
        if (item == nullptr || *slot.word != item->hook)
            return;
        const std::uint64_t stub = slot.isCall ? g_stubs.find(slot.word) : 0;
        count(module.write(slot.word, module.isCode(stub) ? stub : item->next), counts);
    });
    forEachLoaderPointer(module, [&](std::uint64_t *word) {
        for (const char *name : kLoaderCalls) {
            const Redirection *item = all.find(name);
            if (item != nullptr && *word == item->hook)
                count(module.write(word, item->next), counts);
        }
    });
}

struct Walk
{
    bool isRestoring;
    Redirections all;
    PatchCounts counts;
};

int visitModule(dl_phdr_info *info, std::size_t, void *data)
{
    Walk &walk = *static_cast<Walk *>(data);
    ModuleSlots module(*info);
    if (module.holds(addressOf(_DYNAMIC)))
        return 0;
    ++walk.counts.modules;
    if (!module.isUsable()) {
        ++walk.counts.modulesSkipped;
        return 0;
    }
    if (walk.isRestoring) {
        restoreModule(module, walk.all, walk.counts);
    } else if (g_loaderBegin != 0 && module.holds(g_loaderBegin)) {
        redirectLoader(module, walk.all, walk.counts);
    } else {
        redirectModule(module, walk.all, walk.counts);
    }
    return 0;
}

PatchCounts walkModules(bool isRestoring)
{
    Walk walk{isRestoring, {}, {}};
    dl_iterate_phdr(visitModule, &walk);
    return walk.counts;
}

} // namespace

PatchCounts redirectSlots() { return walkModules(false); }

PatchCounts restoreSlots()
{
    const PatchCounts counts = walkModules(true);
    g_stubs.clear();
    return counts;
}

} // namespace capture::tracer
