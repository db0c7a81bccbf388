// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/built_in_allocator.h"

#include "capture/file_descriptor.h"
#include "capture/target/program_kind.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <array>
#include <memory>
#include <string_view>

namespace capture {

namespace {

constexpr std::size_t kMostSymbols = 4'000'000;

struct EndElf
{
    void operator()(Elf *elf) const { elf_end(elf); }
};

/// A function that gives an allocator away. Prefixes first: `_rjem_` is jemalloc in a Rust program.
struct Sign
{
    std::string_view symbol;
    bool isPrefix;
    std::string_view allocator;
};
constexpr std::array kSigns{
    Sign{"je_malloc", false, "jemalloc"},
    Sign{"je_mallocx", false, "jemalloc"},
    Sign{"_rjem_", true, "jemalloc"},
    Sign{"je_arena_", true, "jemalloc"},
    Sign{"mallctlnametomib", false, "jemalloc"},
    Sign{"tc_malloc", false, "tcmalloc"},
    Sign{"_ZN8tcmalloc", true, "tcmalloc"},
    Sign{"TCMallocInternalMalloc", false, "tcmalloc"},
    Sign{"mi_malloc", false, "mimalloc"},
    Sign{"_mi_heap_main", false, "mimalloc"},
    Sign{"__rg_alloc", false, "a Rust allocator"},
};

std::string_view allocatorOf(std::string_view symbol)
{
    for (const Sign &sign : kSigns)
        if (sign.isPrefix ? symbol.starts_with(sign.symbol) : symbol == sign.symbol)
            return sign.allocator;
    return {};
}

std::string_view searchTable(Elf *elf, Elf_Scn *section, const GElf_Shdr &header)
{
    Elf_Data *data = elf_getdata(section, nullptr);
    if (!data || header.sh_entsize == 0)
        return {};
    std::string_view found;
    const std::size_t count = std::min<std::size_t>(header.sh_size / header.sh_entsize, kMostSymbols);
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, static_cast<int>(i), &symbol))
            break;
        const char *name = symbol.st_shndx == SHN_UNDEF ? nullptr : elf_strptr(elf, header.sh_link, symbol.st_name);
        const std::string_view allocator = name ? allocatorOf(name) : std::string_view();
        if (!allocator.empty())
            found = allocator;
        if (!found.empty() && found != "a Rust allocator")
            break; // a better name than that there is not
    }
    return found;
}

} // namespace

std::string builtInAllocator(const std::string &path)
{
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.isOpen())
        return {};
    elf_version(EV_CURRENT);
    const std::unique_ptr<Elf, EndElf> elf(elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
        return {};
    std::string_view found;
    for (Elf_Scn *section = elf_nextscn(elf.get(), nullptr); section; section = elf_nextscn(elf.get(), section)) {
        GElf_Shdr header;
        const bool isTable
            = gelf_getshdr(section, &header) && (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM);
        if (isTable && (found.empty() || found == "a Rust allocator"))
            if (const std::string_view allocator = searchTable(elf.get(), section, header); !allocator.empty())
                found = allocator;
    }
    return std::string(found);
}

std::string builtInAllocatorNote(const std::string &path)
{
    ProgramKind kind = programKind(path);
    for (int depth = 0; kind.format == ProgramFormat::Script && depth < 4; ++depth)
        kind = programKind(kind.interpreter);
    if (kind.format != ProgramFormat::Elf)
        return {};
    const std::string allocator = builtInAllocator(kind.path);
    if (allocator.empty())
        return {};
    return fmt::format(
        "'{}' has {} built in; what it takes from there does not reach the tracer. Linked dynamically, it would",
        kind.path, allocator);
}

} // namespace capture
