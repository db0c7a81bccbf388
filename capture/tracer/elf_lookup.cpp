// SPDX-License-Identifier: MIT
#include "capture/tracer/elf_lookup.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstring>

extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

namespace capture::tracer {

namespace {

const r_debug *debugInfo()
{
    const auto *headers = reinterpret_cast<const Elf64_Phdr *>(getauxval(AT_PHDR));
    const std::uint64_t count = getauxval(AT_PHNUM);
    if (headers == nullptr)
        return nullptr;
    std::uint64_t bias = 0;
    const Elf64_Phdr *dynamic = nullptr;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (headers[i].p_type == PT_PHDR)
            bias = reinterpret_cast<std::uint64_t>(headers) - headers[i].p_vaddr;
        else if (headers[i].p_type == PT_DYNAMIC)
            dynamic = &headers[i];
    }
    if (dynamic == nullptr)
        return nullptr;
    for (auto *entry = reinterpret_cast<const Elf64_Dyn *>(bias + dynamic->p_vaddr); entry->d_tag != DT_NULL; ++entry)
        if (entry->d_tag == DT_DEBUG)
            return reinterpret_cast<const r_debug *>(entry->d_un.d_ptr);
    return nullptr;
}

std::uint64_t definitionFrom(const link_map *module, const char *name, const link_map **where)
{
    for (; module != nullptr; module = module->l_next) {
        const std::uint64_t address = module->l_ld != _DYNAMIC ? symbolOf(module, name) : 0;
        if (address == 0)
            continue;
        if (where != nullptr)
            *where = module;
        return address;
    }
    return 0;
}

const link_map *loaderModule()
{
    const r_debug *debug = debugInfo();
    for (const link_map *module = firstModule(); module != nullptr; module = module->l_next)
        if (module->l_addr == debug->r_ldbase && debug->r_ldbase != 0)
            return module;
    return nullptr;
}

} // namespace

link_map *firstModule()
{
    const r_debug *debug = debugInfo();
    return debug != nullptr ? debug->r_map : nullptr;
}

link_map *ownModule()
{
    for (link_map *module = firstModule(); module != nullptr; module = module->l_next)
        if (module->l_ld == _DYNAMIC)
            return module;
    return nullptr;
}

LoaderRange loaderRange()
{
    const link_map *loader = loaderModule();
    if (loader == nullptr)
        return {};
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(loader->l_addr);
    const auto *headers = reinterpret_cast<const Elf64_Phdr *>(loader->l_addr + header->e_phoff);
    LoaderRange range{loader->l_addr, loader->l_addr};
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        const std::uint64_t end = loader->l_addr + headers[i].p_vaddr + headers[i].p_memsz;
        if (headers[i].p_type == PT_LOAD && end > range.end)
            range.end = end;
    }
    return range;
}

ModuleSymbols::ModuleSymbols(const link_map *module)
{
    // glibc relocates these pointers in place, except where the section is read-only (the vdso, newer ports).
    const auto at = [module](std::uint64_t value) { return value < module->l_addr ? value + module->l_addr : value; };
    for (const Elf64_Dyn *entry = module->l_ld; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
        const std::uint64_t address = at(entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            m_symbols = reinterpret_cast<const Elf64_Sym *>(address);
            break;
        case DT_STRTAB:
            m_names = reinterpret_cast<const char *>(address);
            break;
        case DT_VERSYM:
            m_versions = reinterpret_cast<const std::uint16_t *>(address);
            break;
        case DT_GNU_HASH:
            m_gnuHash = reinterpret_cast<const std::uint32_t *>(address);
            break;
        case DT_HASH:
            m_hash = reinterpret_cast<const std::uint32_t *>(address);
            break;
        default:
            break;
        }
    }
    if (m_symbols == nullptr || m_names == nullptr)
        m_gnuHash = m_hash = nullptr;
}

/// Keeps the best match of a walk along a hash chain.
struct ModuleSymbols::Match
{
    const ModuleSymbols &tables;
    const char *name;
    const Elf64_Sym *found = nullptr;

    /// True once nothing better can come.
    bool consider(std::uint32_t index)
    {
        const Elf64_Sym &symbol = tables.m_symbols[index];
        const unsigned type = symbol.st_info & 0xf;
        if (symbol.st_shndx == SHN_UNDEF || type == STT_TLS || std::strcmp(tables.m_names + symbol.st_name, name) != 0)
            return false;
        const bool isHidden = tables.m_versions != nullptr && (tables.m_versions[index] & 0x8000) != 0;
        if (found == nullptr || !isHidden)
            found = &symbol;
        return !isHidden;
    }
};

void ModuleSymbols::searchGnuHash(Match &match) const
{
    std::uint32_t hash = 5381;
    for (const char *c = match.name; *c != 0; ++c)
        hash = hash * 33 + static_cast<unsigned char>(*c);
    const std::uint32_t *table = m_gnuHash;
    const std::uint32_t bucketCount = table[0], firstSymbol = table[1], bloomWords = table[2];
    if (bucketCount == 0)
        return;
    const std::uint32_t *buckets = table + 4 + std::size_t{2} * bloomWords;
    const std::uint32_t *chains = buckets + bucketCount;
    std::uint32_t index = buckets[hash % bucketCount];
    if (index < firstSymbol)
        return;
    for (;; ++index) {
        const std::uint32_t entry = chains[index - firstSymbol];
        if ((entry | 1) == (hash | 1) && match.consider(index))
            return;
        if ((entry & 1) != 0)
            return;
    }
}

void ModuleSymbols::searchSysvHash(Match &match) const
{
    std::uint32_t hash = 0;
    for (const char *c = match.name; *c != 0; ++c) {
        hash = (hash << 4) + static_cast<unsigned char>(*c);
        const std::uint32_t high = hash & 0xf0000000;
        hash = (hash ^ (high >> 24)) & ~high;
    }
    const std::uint32_t *table = m_hash;
    const std::uint32_t bucketCount = table[0], chainCount = table[1];
    if (bucketCount == 0)
        return;
    for (std::uint32_t index = table[2 + hash % bucketCount]; index != 0 && index < chainCount;
         index = table[2 + bucketCount + index]) {
        if (match.consider(index))
            return;
    }
}

const Elf64_Sym *ModuleSymbols::entry(const char *name) const
{
    Match match{*this, name};
    if (m_gnuHash != nullptr)
        searchGnuHash(match);
    else if (m_hash != nullptr)
        searchSysvHash(match);
    return match.found;
}

void ModuleSymbols::visitWeakReferences(void (*visit)(const char *name, void *data), void *data) const
{
    // A GNU hash table has only what is defined, which stands behind all else.
    const std::uint32_t end = m_gnuHash != nullptr ? m_gnuHash[1] : m_hash != nullptr ? m_hash[1] : 0;
    for (std::uint32_t i = 1; i < end; ++i) {
        const Elf64_Sym &symbol = m_symbols[i];
        if (symbol.st_shndx == SHN_UNDEF && symbol.st_info >> 4 == STB_WEAK)
            visit(m_names + symbol.st_name, data);
    }
}

std::uint64_t symbolOf(const link_map *module, const char *name)
{
    const Elf64_Sym *symbol = symbolEntry(module, name);
    if (symbol == nullptr)
        return 0;
    const std::uint64_t address = module->l_addr + symbol->st_value;
    if ((symbol->st_info & 0xf) == STT_GNU_IFUNC)
        return reinterpret_cast<std::uint64_t (*)()>(address)();
    return address;
}

std::uint64_t nextDefinition(const char *name, const link_map **where)
{
    const link_map *own = ownModule();
    return own != nullptr ? definitionFrom(own->l_next, name, where) : 0;
}

std::uint64_t firstDefinition(const char *name, const link_map **where)
{
    return definitionFrom(firstModule(), name, where);
}

bool isPreempted(const char *name)
{
    const link_map *own = ownModule();
    for (const link_map *module = firstModule(); module != nullptr && module != own; module = module->l_next)
        if (symbolOf(module, name) != 0)
            return true;
    return false;
}

const std::uint64_t *initialStack()
{
    const link_map *loader = loaderModule();
    const std::uint64_t symbol = loader != nullptr ? symbolOf(loader, "__libc_stack_end") : 0;
    return symbol != 0 ? *reinterpret_cast<const std::uint64_t *const *>(symbol) : nullptr;
}

} // namespace capture::tracer
