// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/elf_functions.h"

#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace capture {

namespace {

constexpr std::uint64_t kMostCodeBytes = std::uint64_t{16} << 20; ///< of a segment: libc has 1.4 MB
constexpr std::size_t kMostSymbols = 1u << 20;

struct EndElf
{
    void operator()(Elf *elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

template <typename Visit> void forEachFunction(Elf *elf, std::uint32_t tableType, Visit visit)
{
    for (Elf_Scn *section = elf_nextscn(elf, nullptr); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != tableType || header.sh_entsize == 0)
            continue;
        Elf_Data *data = elf_getdata(section, nullptr);
        const std::size_t count = std::min<std::size_t>(header.sh_size / header.sh_entsize, kMostSymbols);
        for (std::size_t i = 0; data && i < count; ++i) {
            GElf_Sym symbol;
            if (!gelf_getsym(data, static_cast<int>(i), &symbol))
                break;
            const unsigned type = GELF_ST_TYPE(symbol.st_info);
            const bool isFunction = type == STT_FUNC || type == STT_GNU_IFUNC;
            const char *name = isFunction && symbol.st_shndx != SHN_UNDEF
                ? elf_strptr(elf, header.sh_link, symbol.st_name)
                : nullptr;
            if (name)
                visit(symbol, name);
        }
    }
}

} // namespace

model::Result<ElfFunctions> ElfFunctions::fromFile(int fd)
{
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(fd, ELF_C_READ_MMAP, nullptr));
    GElf_Ehdr header;
    std::size_t segments = 0;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || !gelf_getehdr(elf.get(), &header) || header.e_machine != EM_X86_64
        || elf_getphdrnum(elf.get(), &segments) != 0)
        return model::Error("not a 64-bit x86 ELF file");
    ElfFunctions result;
    for (std::size_t i = 0; i < segments; ++i) {
        GElf_Phdr segment;
        if (!gelf_getphdr(elf.get(), static_cast<int>(i), &segment) || segment.p_type != PT_LOAD)
            continue;
        if (segment.p_offset == 0)
            result.m_base = segment.p_vaddr;
        if ((segment.p_flags & PF_X) == 0)
            continue;
        Code code{segment.p_vaddr, std::vector<std::uint8_t>(std::min(segment.p_filesz, kMostCodeBytes))};
        const ssize_t got = ::pread(fd, code.bytes.data(), code.bytes.size(), static_cast<off_t>(segment.p_offset));
        code.bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        result.m_code.push_back(std::move(code));
    }
    forEachFunction(elf.get(), SHT_DYNSYM, [&](const GElf_Sym &symbol, const char *name) {
        result.m_functions.push_back({symbol.st_value, symbol.st_size, name});
    });
    forEachFunction(
        elf.get(), SHT_SYMTAB, [&](const GElf_Sym &, const char *name) { result.m_symbols.emplace_back(name); });
    std::sort(result.m_functions.begin(), result.m_functions.end(),
        [](const Function &a, const Function &b) { return a.address < b.address; });
    std::sort(result.m_symbols.begin(), result.m_symbols.end());
    return result;
}

bool ElfFunctions::exports(int fd, std::string_view name)
{
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(fd, ELF_C_READ_MMAP, nullptr));
    bool isFound = false;
    if (elf && elf_kind(elf.get()) == ELF_K_ELF)
        forEachFunction(
            elf.get(), SHT_DYNSYM, [&](const GElf_Sym &, const char *one) { isFound = isFound || name == one; });
    return isFound;
}

std::uint64_t ElfFunctions::find(std::string_view name) const
{
    const auto at = std::find_if(
        m_functions.begin(), m_functions.end(), [=](const Function &function) { return function.name == name; });
    return at != m_functions.end() ? at->address : 0;
}

AddressRange ElfFunctions::rangeOf(std::string_view name) const
{
    const auto at = std::find_if(
        m_functions.begin(), m_functions.end(), [=](const Function &function) { return function.name == name; });
    return at != m_functions.end() ? AddressRange{at->address, at->address + at->bytes} : AddressRange{};
}

AddressRange ElfFunctions::neighbourhoodOf(std::span<const std::string_view> names) const
{
    std::size_t first = m_functions.size(), last = 0;
    for (std::size_t i = 0; i < m_functions.size(); ++i) {
        if (std::find(names.begin(), names.end(), m_functions[i].name) == names.end())
            continue;
        first = std::min(first, i);
        last = i;
    }
    if (first == m_functions.size())
        return {};
    const std::uint64_t begin = m_functions[first].address, end = m_functions[last].address + m_functions[last].bytes;
    AddressRange range{0, UINT64_MAX};
    for (const Function &function : m_functions) {
        if (function.address < begin && function.address + function.bytes <= begin)
            range.begin = std::max(range.begin, function.address + function.bytes);
        if (function.address >= end)
            range.end = std::min(range.end, function.address);
    }
    return range;
}

std::uint64_t ElfFunctions::findCode(std::span<const std::uint8_t> bytes) const
{
    for (const Code &code : m_code) {
        const auto at = std::search(code.bytes.begin(), code.bytes.end(), bytes.begin(), bytes.end());
        if (at != code.bytes.end())
            return code.address + static_cast<std::uint64_t>(at - code.bytes.begin());
    }
    return 0;
}

bool ElfFunctions::hasSymbol(std::string_view name) const
{
    return std::binary_search(m_symbols.begin(), m_symbols.end(), name);
}

} // namespace capture
