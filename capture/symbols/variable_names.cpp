// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/variable_names.h"

#include "capture/symbols/demangler.h"
#include "capture/symbols/elf_file.h"

#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>

namespace capture {

std::optional<VariableNames::File> VariableNames::read(const std::string &path, std::uint64_t inode)
{
    const std::optional<ElfFile> file = ElfFile::open(path);
    struct stat status = {};
    if (!file || ::fstat(file->fd.get(), &status) != 0 || status.st_ino != inode)
        return std::nullopt;
    File read;
    std::size_t headers = 0;
    if (elf_getphdrnum(file->elf.get(), &headers) != 0)
        return std::nullopt;
    for (std::size_t i = 0; i < headers; ++i) {
        GElf_Phdr header;
        if (!gelf_getphdr(file->elf.get(), static_cast<int>(i), &header) || header.p_type != PT_LOAD)
            continue;
        read.base = header.p_vaddr - header.p_offset;
        break; // the first one maps the file's begin
    }
    read.variables.add(file->elf.get(), SymbolTable::Kind::Variables);
    if (const auto debug = findDebugFile(file->elf.get(), path, buildIdOf(file->elf.get())))
        read.variables.add(debug->elf.get(), SymbolTable::Kind::Variables);
    read.variables.sort();
    return read;
}

std::string VariableNames::of(const std::string &path, std::uint64_t inode, std::uint64_t offset)
{
    auto [known, isNew] = m_files.try_emplace(path);
    if (isNew)
        known->second = read(path, inode);
    if (!known->second)
        return {};
    const SymbolTable::Found found = known->second->variables.find(known->second->base + offset);
    if (found.name == nullptr)
        return {};
    std::string text = demangled(found.name);
    if (const std::size_t tag = text.find("[abi:"); tag != std::string::npos)
        text.erase(tag, text.find(']', tag) - tag + 1); // the compiler's, not the programmer's
    return found.inside == 0 ? text : fmt::format("{} +{:#x}", text, found.inside);
}

} // namespace capture
