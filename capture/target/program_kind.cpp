// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/program_kind.h"

#include "capture/file_descriptor.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace capture {

namespace {

constexpr std::size_t kMostScriptLine = 256; // BINPRM_BUF_SIZE of the kernel
constexpr int kMostInterpreters = 4;         // the kernel's own bound on scripts that run scripts
constexpr std::size_t kMostLibraries = 1024;
constexpr std::string_view kSanitizerStart = "__asan_init";

struct EndElf
{
    void operator()(Elf *elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

std::string scriptInterpreter(std::string_view head)
{
    std::string_view line = head.substr(2, head.find('\n') - 2);
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(begin);
    return std::string(line.substr(0, line.find_first_of(" \t\r")));
}

std::string interpreterOf(Elf *elf, int fd)
{
    std::size_t count = 0;
    if (elf_getphdrnum(elf, &count) != 0)
        return {};
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, static_cast<int>(i), &header) || header.p_type != PT_INTERP)
            continue;
        std::string path(std::min<std::size_t>(header.p_filesz, 4096), '\0');
        const ssize_t got = ::pread(fd, path.data(), path.size(), static_cast<off_t>(header.p_offset));
        path.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return path.substr(0, path.find('\0'));
    }
    return {};
}

void readLibraries(Elf *elf, Elf_Scn *section, const GElf_Shdr &header, ProgramKind &kind)
{
    Elf_Data *data = elf_getdata(section, nullptr);
    if (!data || header.sh_entsize == 0)
        return;
    for (std::size_t i = 0; i < header.sh_size / header.sh_entsize && kind.libraries.size() < kMostLibraries; ++i) {
        GElf_Dyn entry;
        if (!gelf_getdyn(data, static_cast<int>(i), &entry) || entry.d_tag == DT_NULL)
            return;
        if (entry.d_tag != DT_NEEDED)
            continue;
        if (const char *name = elf_strptr(elf, header.sh_link, entry.d_un.d_val))
            kind.libraries.emplace_back(name);
    }
}

bool definesSymbol(Elf *elf, Elf_Scn *section, const GElf_Shdr &header, std::string_view wanted)
{
    Elf_Data *data = elf_getdata(section, nullptr);
    if (!data || header.sh_entsize == 0)
        return false;
    for (std::size_t i = 0; i < header.sh_size / header.sh_entsize; ++i) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, static_cast<int>(i), &symbol))
            return false;
        const char *name = symbol.st_shndx == SHN_UNDEF ? nullptr : elf_strptr(elf, header.sh_link, symbol.st_name);
        if (name && wanted == name)
            return true;
    }
    return false;
}

void readDynamic(Elf *elf, ProgramKind &kind)
{
    for (Elf_Scn *section = elf_nextscn(elf, nullptr); section; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            return;
        if (header.sh_type == SHT_DYNAMIC)
            readLibraries(elf, section, header, kind);
        else if (header.sh_type == SHT_DYNSYM)
            kind.hasAddressSanitizer = kind.hasAddressSanitizer || definesSymbol(elf, section, header, kSanitizerStart);
    }
    for (const std::string &library : kind.libraries)
        kind.hasAddressSanitizer = kind.hasAddressSanitizer || library.starts_with("libasan.so");
}

void readElf(int fd, ProgramKind &kind)
{
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr));
    GElf_Ehdr header;
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF || !gelf_getehdr(elf.get(), &header))
        return;
    kind.format = ProgramFormat::Elf;
    kind.is64Bit = gelf_getclass(elf.get()) == ELFCLASS64;
    kind.machine = header.e_machine;
    kind.interpreter = interpreterOf(elf.get(), fd);
    readDynamic(elf.get(), kind);
}

/// Whether running the file changes who one is; the loader then ignores LD_PRELOAD (ld.so(8), secure execution).
bool changesRights(int fd, const struct stat &status)
{
    const bool setsUser = (status.st_mode & S_ISUID) != 0 && status.st_uid != ::geteuid();
    const bool setsGroup
        = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != ::getegid();
    // For root, file capabilities add nothing, and the loader stays in its usual mode.
    const bool hasCapabilities = ::geteuid() != 0 && ::fgetxattr(fd, "security.capability", nullptr, 0) > 0;
    return setsUser || setsGroup || hasCapabilities;
}

std::string obstacleOfElf(const ProgramKind &kind)
{
    const std::string &path = kind.path;
    if (kind.machine != EM_X86_64 || !kind.is64Bit)
        return fmt::format("'{}' is not a 64-bit x86 program, so its heap cannot be traced", path);
    if (kind.interpreter.empty())
        return fmt::format("'{}' is statically linked, so no tracer can be loaded into it", path);
    if (kind.interpreter.find("ld-musl") != std::string::npos)
        return fmt::format("'{}' uses musl ({}), for which there is no tracer", path, kind.interpreter);
    if (kind.interpreter.find("ld-linux") == std::string::npos)
        return fmt::format("'{}' uses the loader '{}', for which there is no tracer", path, kind.interpreter);
    if (kind.isSetId)
        return fmt::format(
            "'{}' runs with more rights than yours (set-user-id or file capabilities), and the loader then "
            "loads no tracer; run it as root",
            path);
    if (kind.hasAddressSanitizer)
        return fmt::format(
            "'{}' is built with AddressSanitizer, which replaces the heap itself; use a build without it", path);
    return {};
}

} // namespace

ProgramKind programKind(const std::string &path)
{
    ProgramKind kind;
    kind.path = path;
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status = {};
    if (!fd.isOpen() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return kind;
    char head[kMostScriptLine];
    const ssize_t got = ::pread(fd.get(), head, sizeof head, 0);
    if (got < 0)
        return kind;
    const std::string_view begin(head, static_cast<std::size_t>(got));
    kind.format = ProgramFormat::Other;
    if (begin.starts_with("#!")) {
        kind.format = ProgramFormat::Script;
        kind.interpreter = scriptInterpreter(begin);
        return kind; // the kernel ignores set-id bits of scripts
    }
    kind.isSetId = changesRights(fd.get(), status);
    if (begin.starts_with(std::string_view(ELFMAG, SELFMAG)))
        readElf(fd.get(), kind);
    return kind;
}

std::string heapObstacle(const std::string &path)
{
    ProgramKind kind = programKind(path);
    for (int depth = 0; kind.format == ProgramFormat::Script && depth < kMostInterpreters; ++depth)
        kind = programKind(kind.interpreter);
    if (kind.format == ProgramFormat::Elf)
        return obstacleOfElf(kind);
    if (kind.format == ProgramFormat::Other && kind.isSetId)
        return fmt::format("'{}' runs with more rights than yours, so no tracer can be loaded into it", kind.path);
    // A file that is missing or cannot be read: starting it says more than we could. Anything else is run by /bin/sh.
    return {};
}

} // namespace capture
