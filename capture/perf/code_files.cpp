// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/code_files.h"

#include "capture/unwind/call_bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace capture {

namespace {

model::ModuleKind kindOf(const std::string &path)
{
    if (path == "[vdso]")
        return model::ModuleKind::Vdso;
    for (const std::string_view prefix : {"//anon", "/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage"}) {
        if (path.starts_with(prefix))
            return model::ModuleKind::Anonymous;
    }
    return path.starts_with('/') ? model::ModuleKind::File : model::ModuleKind::Anonymous;
}

std::string keyOf(const PerfMapping &mapping)
{
    return mapping.buildId.empty()
        ? fmt::format("{}:{}:{}:{}", mapping.major, mapping.minor, mapping.inode, mapping.path)
        : mapping.buildId + ':' + mapping.path;
}

/// Whether the open file is the one that was mapped, as far as that can be told: file systems in layers show another
/// device in a mapping than in stat.
bool isSameFile(int fd, const PerfMapping &mapping)
{
    struct stat status = {};
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    const bool isSameDevice = major(status.st_dev) == mapping.major && minor(status.st_dev) == mapping.minor;
    return !isSameDevice || mapping.inode == 0 || status.st_ino == mapping.inode;
}

} // namespace

CodeFile &CodeFiles::fileOf(const PerfMapping &mapping, std::int32_t pid)
{
    const auto [it, isNew] = m_byKey.try_emplace(keyOf(mapping), nullptr);
    if (isNew) {
        CodeFile file;
        file.identity = mapping;
        file.firstPid = pid;
        file.kind = kindOf(mapping.path);
        m_files.push_back(std::move(file));
        it->second = &m_files.back();
    }
    return *it->second;
}

CodeFiles::OpenFile CodeFiles::open(const CodeFile &file, std::int32_t pid)
{
    const PerfMapping &mapping = file.identity;
    const std::string paths[] = {
        fmt::format("/proc/{}/root{}", pid, mapping.path),
        fmt::format("/proc/{}/map_files/{:x}-{:x}", file.firstPid, mapping.begin, mapping.begin + mapping.bytes),
        mapping.path,
    };
    for (const std::string &path : paths) {
        // A path of the target's may name a device or a pipe by now; opening must neither block nor act.
        FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (fd.get() < 0 || !isSameFile(fd.get(), mapping))
            continue;
        auto tables = ElfTables::fromFile(fd.get());
        if (tables && (mapping.buildId.empty() || (*tables)->buildId() == mapping.buildId))
            return {std::move(fd), std::move(*tables)};
    }
    return {};
}

ElfTables *CodeFiles::tablesOf(CodeFile &file, std::int32_t pid)
{
    if (file.wasOpened)
        return file.tables;
    file.wasOpened = true;
    if (file.kind != model::ModuleKind::File && file.kind != model::ModuleKind::Vdso)
        return nullptr;
    const bool isVdso = file.kind == model::ModuleKind::Vdso;
    if (std::unique_ptr<ElfTables> tables = isVdso ? ElfTables::fromOwnVdso() : open(file, pid).tables) {
        file.tables = tables.get();
        m_tables.push_back(std::move(tables));
    }
    return file.tables;
}

std::optional<bool> CodeFiles::followsCall(CodeFile &file, std::uint64_t offset, std::int32_t pid)
{
    std::uint8_t code[8];
    if (file.kind != model::ModuleKind::File || offset < sizeof(code))
        return std::nullopt;
    if (const auto known = file.calls.find(offset); known != file.calls.end())
        return known->second;
    // Few files are asked for: those whose tables leave code out, and what it is called by.
    if (!std::exchange(file.wasCodeOpened, true))
        file.code = open(file, pid).descriptor;
    if (pread(file.code.get(), code, sizeof(code), static_cast<off_t>(offset - sizeof(code))) != ssize_t{sizeof(code)})
        return std::nullopt;
    return file.calls.emplace(offset, unwind::endsWithCall(code)).first->second;
}

model::ModuleId CodeFiles::moduleOf(CodeFile &file, std::int32_t pid)
{
    if (file.module.isValid())
        return file.module;
    const ElfTables *tables = tablesOf(file, pid);
    const std::string &buildId = file.identity.buildId.empty() && tables ? tables->buildId() : file.identity.buildId;
    const bool isAnonymous = file.kind == model::ModuleKind::Anonymous;
    file.module = m_builder.module(isAnonymous ? "[anon]" : std::string_view(file.identity.path), buildId, file.kind);
    return file.module;
}

model::ModuleId CodeFiles::unknownModule() { return m_builder.module("[unknown]", "", model::ModuleKind::Unknown); }

model::ModuleId CodeFiles::kernelModule() { return m_builder.module("[kernel]", "", model::ModuleKind::Kernel); }

} // namespace capture
