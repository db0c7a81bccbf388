// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/symbol_table.h"

#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace capture {

namespace {

constexpr std::size_t kMostNameBytes = 1u << 31;
constexpr std::uint64_t kNearBytes = 4096; // from an exported symbol without size to the next
constexpr int kSized = 8;                  // part of a symbol's rank
constexpr int kMostOverlapping = 64;       // symbols that may lie inside a larger one before it is given up

/// Which of several names at one address is the most telling: sized before unsized, global before weak before local, and
/// the public alias before the one with underscores.
std::uint8_t rankOf(const GElf_Sym &symbol, const char *name)
{
    const auto binding = GELF_ST_BIND(symbol.st_info);
    int rank = symbol.st_size != 0 ? kSized : 0;
    rank += binding == STB_GLOBAL ? 4 : binding == STB_WEAK ? 2 : 0;
    rank += name[0] != '_' || std::strncmp(name, "_Z", 2) == 0 ? 1 : 0;
    return static_cast<std::uint8_t>(rank);
}

bool isFunction(const GElf_Sym &symbol, Elf *elf)
{
    const auto type = GELF_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
        return false;
    if (type == STT_FUNC || type == STT_GNU_IFUNC)
        return true;
    if (type != STT_NOTYPE || symbol.st_shndx >= SHN_LORESERVE)
        return false;
    // Labels of assembler code have no type.
    GElf_Shdr header;
    Elf_Scn *section = elf_getscn(elf, symbol.st_shndx);
    return section && gelf_getshdr(section, &header) && (header.sh_flags & SHF_EXECINSTR) != 0;
}

bool isVariable(const GElf_Sym &symbol)
{
    return GELF_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_size != 0 && symbol.st_shndx != SHN_UNDEF
        && symbol.st_shndx != SHN_ABS;
}

/// How many bytes a symbol may stand for: its size, or up to the end of its section where it has none.
std::uint64_t reachOf(const GElf_Sym &symbol, Elf *elf)
{
    if (symbol.st_size != 0)
        return symbol.st_size;
    GElf_Shdr header;
    Elf_Scn *section = symbol.st_shndx < SHN_LORESERVE ? elf_getscn(elf, symbol.st_shndx) : nullptr;
    if (!section || !gelf_getshdr(section, &header) || symbol.st_value < header.sh_addr)
        return 0;
    const std::uint64_t offset = symbol.st_value - header.sh_addr;
    return offset < header.sh_size ? header.sh_size - offset : 0;
}

} // namespace

void SymbolTable::add(Elf *elf, Kind kind)
{
    Elf_Scn *dynamic = nullptr;
    for (Elf_Scn *section = elf_nextscn(elf, nullptr); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        if (header.sh_type == SHT_SYMTAB) {
            m_isWhole = true;
            addSection(section, elf, kind);
            return;
        }
        if (header.sh_type == SHT_DYNSYM)
            dynamic = section;
    }
    if (dynamic)
        addSection(dynamic, elf, kind);
}

void SymbolTable::addSection(Elf_Scn *section, Elf *elf, Kind kind)
{
    GElf_Shdr header;
    Elf_Data *data = elf_getdata(section, nullptr);
    if (!data || !gelf_getshdr(section, &header) || header.sh_entsize == 0)
        return;
    const std::size_t count = std::min<std::size_t>(
        header.sh_size / header.sh_entsize, static_cast<std::size_t>(std::numeric_limits<int>::max()));
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, static_cast<int>(i), &symbol))
            return;
        const bool isMeant = kind == Kind::Functions ? isFunction(symbol, elf) : isVariable(symbol);
        const char *name = isMeant ? elf_strptr(elf, header.sh_link, symbol.st_name) : nullptr;
        if (!name || *name == '\0' || *name == '$' || m_names.size() > kMostNameBytes)
            continue;
        m_symbols.push_back(
            {symbol.st_value, reachOf(symbol, elf), static_cast<std::uint32_t>(m_names.size()), rankOf(symbol, name)});
        m_names.append(name, std::strlen(name) + 1);
        m_largest = std::max(m_largest, m_symbols.back().size);
    }
}

void SymbolTable::sort()
{
    std::sort(m_symbols.begin(), m_symbols.end(),
        [](const Symbol &a, const Symbol &b) { return a.begin != b.begin ? a.begin < b.begin : a.rank > b.rank; });
    const auto last = std::unique(
        m_symbols.begin(), m_symbols.end(), [](const Symbol &a, const Symbol &b) { return a.begin == b.begin; });
    m_symbols.erase(last, m_symbols.end());
}

SymbolTable::Found SymbolTable::find(std::uint64_t address) const
{
    const auto next = std::upper_bound(m_symbols.begin(), m_symbols.end(), address,
        [](std::uint64_t value, const Symbol &symbol) { return value < symbol.begin; });
    auto it = next;
    for (int looked = 0; it != m_symbols.begin() && looked < kMostOverlapping; ++looked) {
        --it;
        const std::uint64_t offset = address - it->begin;
        const bool isSized = (it->rank & kSized) != 0;
        // A symbol without size reaches to the next one, which would have been found first.
        const bool isBounded
            = m_isWhole || offset == 0 || (next != m_symbols.end() && next->begin - it->begin <= kNearBytes);
        if (offset < it->size && (isSized || (looked == 0 && isBounded)))
            return {m_names.data() + it->nameAt, offset, isSized};
        if (offset >= m_largest)
            break;
    }
    return {};
}

bool SymbolTable::begins(std::uint64_t address) const
{
    return std::binary_search(m_symbols.begin(), m_symbols.end(), Symbol{address},
        [](const Symbol &a, const Symbol &b) { return a.begin < b.begin; });
}

} // namespace capture
